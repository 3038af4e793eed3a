#include "system/snapshot/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace tiercel::system {
namespace {

// Against sizes that lie: what one section may ask for, and how much is allocated before more of it has come.
constexpr u64 kMostSection = 64 << 20;
constexpr u64 kPiece = 1 << 20;

template <typename T>
std::span<u8> raw(T& value) {
  return {reinterpret_cast<u8*>(&value), sizeof value};
}

bool is_zero(std::span<const u8> page) {
  return page[0] == 0 && std::equal(page.begin() + 1, page.end(), page.begin());
}

/// Pages that follow each other; a count of 0 ends the memory.
struct Run {
  u64 first = 0, count = 0;
};

/// From `page` on, the next run of pages that are not zero, none of more than a piece.
Run next_run(std::span<const u8> bytes, u64 page) {
  const auto zero = [&](u64 n) { return is_zero(bytes.subspan(n * kPageSize, kPageSize)); };
  const u64 pages = bytes.size() / kPageSize;
  while (page < pages && zero(page)) ++page;
  Run run{page, 0};
  while (page < pages && run.count < kPiece / kPageSize && !zero(page)) ++run.count, ++page;
  return run;
}

}  // namespace

Result<void> SnapshotWriter::begin(const std::string& name, u64 size) {
  const u8 length = static_cast<u8>(name.size());
  std::vector<u8> head{length};
  head.insert(head.end(), name.begin(), name.end());
  const std::span<u8> number = raw(size);
  head.insert(head.end(), number.begin(), number.end());
  return to_.put(head);
}

Result<void> SnapshotWriter::section(const std::string& name, const std::function<void(Archive&)>& fields) {
  Archive archive;
  fields(archive);
  if (!archive.good()) return fail(EINVAL, archive.reason());
  if (Result<void> begun = begin(name, archive.collected().size()); !begun) return begun;
  return to_.put(archive.collected());
}

Result<void> SnapshotWriter::memory(const std::string& name, std::span<u8> bytes) {
  if (Result<void> begun = begin(name, bytes.size()); !begun) return begun;
  for (Run run = next_run(bytes, 0);; run = next_run(bytes, run.first + run.count)) {
    if (Result<void> done = to_.put(raw(run)); !done || run.count == 0) return done;
    const std::span<const u8> pages = bytes.subspan(run.first * kPageSize, run.count * kPageSize);
    if (Result<void> done = to_.put(pages); !done) return done;
  }
}

/// The size of the section that comes next, which must have this name.
Result<u64> SnapshotReader::begin(const std::string& name) {
  u8 length = 0;
  u64 size = 0;
  if (Result<void> got = from_.get({&length, 1}); !got) return tl::unexpected(got.error());
  std::string found(length, ' ');
  for (const std::span<u8> part : {std::span(reinterpret_cast<u8*>(found.data()), found.size()), raw(size)})
    if (Result<void> got = from_.get(part); !got) return tl::unexpected(got.error());
  if (found != name)
    return fail(EINVAL, fmt::format("there is no state of {} where it should be: it was saved by another version, or "
                                    "by a machine with other devices",
                                    name));
  return size;
}

Result<void> SnapshotReader::section(const std::string& name, const std::function<void(Archive&)>& fields) {
  const Result<u64> size = begin(name);
  if (!size) return tl::unexpected(size.error());
  const auto wrong = [&name] {
    return fail(EINVAL, fmt::format("the state of {} is not one of this version of tiercel", name));
  };
  if (*size > kMostSection) return wrong();
  std::vector<u8> bytes;
  while (bytes.size() < *size) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(*size, before + kPiece));
    if (Result<void> got = from_.get(std::span(bytes).subspan(before)); !got) return got;
  }
  Archive archive(bytes);
  fields(archive);
  if (!archive.reason().empty()) return fail(EINVAL, archive.reason());
  if (!archive.good() || !archive.at_end()) return wrong();
  return {};
}

Result<void> SnapshotReader::memory(const std::string& name, std::span<u8> bytes) {
  const Result<u64> size = begin(name);
  if (!size) return tl::unexpected(size.error());
  if (*size != bytes.size())
    return fail(EINVAL, fmt::format("{} has {} bytes there, and {} here", name, *size, bytes.size()));
  const u64 pages = bytes.size() / kPageSize;
  for (;;) {
    Run run;
    if (Result<void> got = from_.get(raw(run)); !got || run.count == 0) return got;
    if (run.first > pages || run.count > pages - run.first)
      return fail(EINVAL, fmt::format("the content of {} goes beyond its end", name));
    if (Result<void> got = from_.get(bytes.subspan(run.first * kPageSize, run.count * kPageSize)); !got) return got;
  }
}

}  // namespace tiercel::system
