#include "system/bus/ram.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

// Against a size that wraps when it is rounded or added to an address; hosts map less.
constexpr u64 kMostBytes = u64{1} << 46;
constexpr u64 kHuge = u64{1} << 21;  // a huge page of the host

}  // namespace

Result<Ram> Ram::create(u64 bytes) {
  if (bytes == 0 || bytes > kMostBytes)
    return fail(EINVAL, fmt::format("a machine cannot have {} bytes of RAM", bytes));
  Ram ram;
  ram.size_ = align_up(bytes, kPageSize);
  // Anonymous, not a memfd: hosts rarely allow huge pages for shared memory.
  void* base =
      mmap(nullptr, ram.size_ + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return fail(errno, fmt::format("cannot map {} MiB of guest RAM: {}", ram.size_ >> 20, std::strerror(errno)));
  const u64 start = reinterpret_cast<u64>(base), aligned = align_up(start, kHuge);
  if (aligned != start) munmap(base, aligned - start);
  if (aligned != start + kHuge) munmap(reinterpret_cast<void*>(aligned + ram.size_), start + kHuge - aligned);
  ram.base_ = reinterpret_cast<u8*>(aligned);
  // Huge pages where the host has them: fewer host TLB misses below the guest's own. Only advice.
  madvise(ram.base_, ram.size_, MADV_HUGEPAGE);
  return ram;
}

Ram::Ram(Ram&& other) noexcept : base_(std::exchange(other.base_, nullptr)), size_(other.size_) {}

Ram::~Ram() {
  if (base_) munmap(base_, size_);
}

void Ram::clear() {
  if (madvise(base_, size_, MADV_DONTNEED) != 0) std::memset(base_, 0, size_);
}

}  // namespace tiercel::system
