#include "engine/tlb_table.h"

#include <sys/mman.h>

#include <cstring>

#include "base/check.h"

namespace tiercel::engine {
namespace {

constexpr std::size_t kBytes = sizeof(backend::TlbArrays);
/// From so many groups on it is cheaper to give the memory back.
constexpr u32 kManyGroups = 512;

}  // namespace

TlbTable::TlbTable() {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK_MSG(memory != MAP_FAILED, "no memory for a TLB");
  arrays_ = static_cast<backend::TlbArrays*>(memory);
  drop(0);
}

TlbTable::~TlbTable() {
  munmap(arrays_, kBytes);
}

/// Entries of zeroes are empty, but for the first one.
void TlbTable::clear() {
  u32 groups = 0;
  for (const u64 w : used_) groups += static_cast<u32>(std::popcount(w));
  if (groups >= kManyGroups) return release();
  for_each_group([&](u32 first) {
    std::memset(arrays_->page + first, 0, kGroup * sizeof(u64));
    std::memset(arrays_->distance + first, 0, kGroup * sizeof(u64));
  });
  used_.fill(0);
  drop(0);
}

void TlbTable::release() {
  madvise(arrays_, kBytes, MADV_DONTNEED);
  used_.fill(0);
  touched_.fill(0);
  drop(0);
}

u64 TlbTable::memory() const {
  u64 pages = 0;
  for (const u64 w : touched_) pages += static_cast<u64>(std::popcount(w));
  return 2 * pages * kPageSize;
}

}  // namespace tiercel::engine
