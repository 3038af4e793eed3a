#include "backend/jump_cache.h"

#include <sys/mman.h>

#include "base/bits.h"

namespace tiercel::backend {

void JumpCache::release() {
  const u64 begin = reinterpret_cast<u64>(entries_.get()), end = begin + kEntries * sizeof(JumpCacheEntry);
  const u64 first = align_up(begin, kPageSize), last = align_down(end, kPageSize);
  madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);  // and what it shares pages with stays
  std::memset(reinterpret_cast<void*>(begin), 0, first - begin);
  std::memset(reinterpret_cast<void*>(last), 0, end - last);
  filled_ = 0;
  touched_ = 0;
  mark_empty();
}

}  // namespace tiercel::backend
