#include "engine/tlb_table.h"

#include <sys/mman.h>

#include <cstring>

#include "base/check.h"

namespace tiercel::engine {
namespace {

constexpr std::size_t kBytes = backend::kTlbSize * sizeof(backend::TlbEntry);
/// From so many groups on it is cheaper to give the memory back.
constexpr u32 kManyGroups = 512;

}  // namespace

TlbTable::TlbTable() {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK_MSG(memory != MAP_FAILED, "no memory for a TLB");
  entries_ = static_cast<backend::TlbEntry*>(memory);
  drop(0);
}

TlbTable::~TlbTable() {
  munmap(entries_, kBytes);
}

/// Entries of zeroes are empty, but for the first one.
void TlbTable::clear() {
  u32 groups = 0;
  for (const u64 w : used_) groups += static_cast<u32>(std::popcount(w));
  if (groups >= kManyGroups)
    madvise(entries_, kBytes, MADV_DONTNEED);
  else
    for_each_group(
        [&](u32 first) { std::memset(static_cast<void*>(entries_ + first), 0, kGroup * sizeof(backend::TlbEntry)); });
  used_.fill(0);
  drop(0);
}

}  // namespace tiercel::engine
