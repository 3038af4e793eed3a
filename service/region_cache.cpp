#include "service/region_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "service/descriptors.h"
#include "service/messages.h"

namespace tiercel::service {

/// At the start of the memory; the index follows at the next page, and then the log.
///
/// A position counts the bytes that were ever logged; modulo the size of the log it is a place.
struct KeptHeader {
  u64 stamp;  // protocol_stamp() of the service
  u64 log_bytes;
  std::atomic<u64> begin;  // the entries before this position are overwritten, or will be at any moment
};

struct KeptSlot {
  std::atomic<u64> print;     // of the request
  std::atomic<u64> position;  // of its entry; 0: none
};

namespace {

constexpr u64 kPage = 4096, kMinLog = 1 << 16, kMaxLog = u64{1} << 40;
constexpr u64 kSlotShare = 1024;  // there is a slot for so many bytes of log
constexpr u64 kWays = 8;          // slots that a request may be in

/// The reply follows the request, which follows this.
struct Entry {
  u32 request_bytes, reply_bytes;
};

u64 slot_count(u64 log_bytes) {
  return std::bit_ceil(log_bytes / kSlotShare);
}
u64 log_offset(u64 log_bytes) {
  return kPage + align_up(slot_count(log_bytes) * sizeof(KeptSlot), kPage);
}
u64 total_bytes(u64 log_bytes) {
  return log_offset(log_bytes) + log_bytes;
}

/// Null: it cannot be mapped.
u8* map(int fd, u64 size, int protection) {
  void* base = mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return nullptr;
  madvise(base, size, MADV_DONTDUMP);
  return static_cast<u8*>(base);
}

}  // namespace

KeptRegions::KeptRegions(int fd) {
  // The size cannot shrink, so that what is mapped stays there.
  struct stat info;
  KeptHeader header{};
  if (fstat(fd, &info) < 0 || !is_sealed_memory(fd, F_SEAL_SHRINK)) return;
  if (pread(fd, &header, sizeof header, 0) != sizeof header || header.stamp != protocol_stamp()) return;
  const u64 log_bytes = header.log_bytes;
  if (log_bytes < kMinLog || log_bytes > kMaxLog || log_bytes % kPage != 0) return;
  if (static_cast<u64>(info.st_size) != total_bytes(log_bytes)) return;
  base_ = map(fd, total_bytes(log_bytes), PROT_READ);
  log_bytes_ = log_bytes;
}

KeptRegions& KeptRegions::operator=(KeptRegions&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(log_bytes_, other.log_bytes_);
  return *this;
}

KeptRegions::~KeptRegions() {
  if (base_) munmap(base_, total_bytes(log_bytes_));
}

KeptHeader& KeptRegions::header() const {
  return *reinterpret_cast<KeptHeader*>(base_);
}

std::span<KeptSlot> KeptRegions::slots(u64 print) const {
  const u64 first = print & (slot_count(log_bytes_) - 1) & ~(kWays - 1);
  return {reinterpret_cast<KeptSlot*>(base_ + kPage) + first, kWays};
}

u8* KeptRegions::log() const {
  return base_ + log_offset(log_bytes_);
}

std::vector<u8> KeptRegions::find(std::span<const u8> request, u64 print) const {
  if (!base_) return {};
  for (const KeptSlot& slot : slots(print)) {
    const u64 at = slot.position.load(std::memory_order_acquire);
    if (at == 0 || slot.print.load(std::memory_order_relaxed) != print) continue;
    if (std::vector<u8> reply = read(at, request); !reply.empty()) return reply;
  }
  return {};
}

std::vector<u8> KeptRegions::read(u64 at, std::span<const u8> request) const {
  const auto overwritten = [&] { return at < header().begin.load(std::memory_order_acquire); };
  if (overwritten()) return {};
  const u64 place = at % log_bytes_;
  if (log_bytes_ - place < sizeof(Entry)) return {};
  Entry entry;
  std::memcpy(&entry, log() + place, sizeof entry);
  const u64 room = log_bytes_ - place - sizeof entry;
  if (entry.request_bytes != request.size() || u64{entry.request_bytes} + entry.reply_bytes > room) return {};
  if (entry.reply_bytes > kSharedBytes) return {};  // no answer is that large
  const u8* const asked = log() + place + sizeof entry;
  if (std::memcmp(asked, request.data(), request.size()) != 0) return {};
  const u8* const reply = asked + request.size();
  std::vector<u8> copy(reply, reply + entry.reply_bytes);
  // Meanwhile something else may have been written here, perhaps what a guest would like to be an entry.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (overwritten()) return {};
  return copy;
}

RegionCache::RegionCache(u64 bytes) : fd_(memfd_create("tiercel-kept", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  const u64 log_bytes = std::clamp(align_up(bytes, kPage), kMinLog, kMaxLog), total = total_bytes(log_bytes);
  if (!fd_ || ftruncate(fd_.get(), static_cast<off_t>(total)) < 0) return;
  KeptRegions kept;
  kept.base_ = map(fd_.get(), total, PROT_READ | PROT_WRITE);
  kept.log_bytes_ = log_bytes;
  if (!kept) return;
  // No process that compiles may write here: what it compiles is a guest's.
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  if (madvise(kept.base_, total, MADV_DONTFORK) < 0 || fcntl(fd_.get(), F_ADD_SEALS, kSeals) < 0) return;
  std::swap(kept_, kept);
  if (!commit(kept_.base_, sizeof(KeptHeader))) {
    kept_ = {};
    return;
  }
  end_ = log_bytes;
  kept_.header().stamp = protocol_stamp();
  kept_.header().log_bytes = log_bytes;
  kept_.header().begin.store(end_);
}

std::vector<u8> RegionCache::find(std::span<const u8> request) const {
  return kept_.find(request, fingerprint(request));
}

void RegionCache::add(std::span<const u8> request, std::span<const u8> reply) {
  const u64 print = fingerprint(request);
  const u64 size = align_up(sizeof(Entry) + request.size() + reply.size(), sizeof(u64));
  // One large region must not push out all others.
  if (!kept_ || size > kept_.log_bytes_ / 16 || !kept_.find(request, print).empty()) return;
  u64 at = end_;
  if (at % kept_.log_bytes_ + size > kept_.log_bytes_) at = at - at % kept_.log_bytes_ + kept_.log_bytes_;
  end_ = at + size;
  kept_.header().begin.store(std::max(kept_.header().begin.load(), end_ - kept_.log_bytes_));
  std::atomic_thread_fence(std::memory_order_release);
  u8* const to = kept_.log() + at % kept_.log_bytes_;
  if (!commit(to, size)) return;
  const Entry entry{static_cast<u32>(request.size()), static_cast<u32>(reply.size())};
  std::memcpy(to, &entry, sizeof entry);
  std::copy(request.begin(), request.end(), to + sizeof entry);
  std::copy(reply.begin(), reply.end(), to + sizeof entry + request.size());
  note(print, at);
}

/// Takes the place of the oldest entry, or of none.
void RegionCache::note(u64 print, u64 at) {
  const auto slots = kept_.slots(print);
  if (!commit(slots.data(), slots.size_bytes())) return;
  KeptSlot& slot = *std::min_element(slots.begin(), slots.end(), [](const KeptSlot& a, const KeptSlot& b) {
    return a.position.load() < b.position.load();
  });
  slot.position.store(0);
  slot.print.store(print);
  slot.position.store(at, std::memory_order_release);
}

/// Where memory is short this fails, and a store would raise SIGBUS.
bool RegionCache::commit(const void* from, u64 size) const {
  const auto offset = static_cast<off_t>(static_cast<const u8*>(from) - kept_.base_);
  return fallocate(fd_.get(), 0, offset, static_cast<off_t>(size)) == 0;
}

}  // namespace tiercel::service
