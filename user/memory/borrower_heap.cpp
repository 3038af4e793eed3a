#include "user/memory/borrower_heap.h"

#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/bits.h"
#include "base/types.h"

// libc's own.
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);
void __real_free(void* block);
void* __real_memalign(std::size_t alignment, std::size_t size);
}

namespace tiercel::user {

namespace {

constexpr u64 kReserved = u64{1} << 30;  // the kernel supplies what is touched
constexpr u32 kEmptying = 0x80000000;
constexpr std::size_t kAlignment = alignof(std::max_align_t);

/// Before each block, and for the padding before it.
struct alignas(kAlignment) Header {
  u64 size;  // from here to the next header, less the header
  u32 child;
  std::atomic<u32> living;
};

/// A block of the parent's that a child has freed.
struct Freed {
  Freed* next;
  void* block;
};

// malloc has no object it could hang on.
std::atomic<u64> begin{0};   // of the stretch; 0: not reserved yet
std::atomic<u64> used{0};    // bytes from `begin`
std::atomic<u64> living{0};  // blocks not freed
std::atomic<u32> children{0};
// Children there are now. kEmptying: somebody who has none moves `used` back.
std::atomic<u32> scopes{0};
thread_local u32 active = 0;  // the child whose allocations the thread's are
thread_local Freed* freed = nullptr;

bool is_borrowers(const void* block) {
  const u64 first = begin.load(std::memory_order_relaxed);
  return first != 0 && reinterpret_cast<u64>(block) - first < kReserved;
}

void reserve() {
  if (begin.load() != 0) return;
  void* p = mmap(nullptr, kReserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return;
  u64 none = 0;
  if (!begin.compare_exchange_strong(none, reinterpret_cast<u64>(p))) munmap(p, kReserved);
}

Header* header_at(u64 offset) {
  return reinterpret_cast<Header*>(begin.load() + offset);
}
Header* header_of(void* block) {
  return static_cast<Header*>(block) - 1;
}

std::size_t size_of(void* block) {
  return is_borrowers(block) ? header_of(block)->size : malloc_usable_size(block);
}

void* put_header(u64 offset, u64 size, bool alive) {
  Header* h = header_at(offset);
  h->size = size;
  h->child = active;
  h->living.store(alive, std::memory_order_relaxed);
  return h + 1;
}

/// Null: no room.
void* allocate(std::size_t size, std::size_t alignment) {
  if (begin.load() == 0 || size > kReserved || alignment > kReserved) return nullptr;
  size = align_up(size, kAlignment);
  const u64 room = size + sizeof(Header) + (alignment > kAlignment ? alignment : 0);
  const u64 at = used.fetch_add(room);
  if (at + room > kReserved) {
    used.store(kReserved);
    return nullptr;
  }
  // The stretch begins at a page; what alignment leaves over is before the block, or a part of it.
  const u64 first = align_up(at + sizeof(Header), std::max(alignment, kAlignment)) - sizeof(Header);
  if (first != at) put_header(at, first - at - sizeof(Header), false);
  living.fetch_add(1);
  return put_header(first, at + room - first - sizeof(Header), true);
}

void forget(void* block) {
  header_of(block)->living.store(0, std::memory_order_relaxed);
  living.fetch_sub(1);
}

void note_freed(void* block) {
  // Without room for the note the block is lost.
  if (void* note = allocate(sizeof(Freed), kAlignment)) freed = new (note) Freed{freed, block};
}

void free_noted() {
  while (Freed* note = freed) {
    freed = note->next;
    __real_free(note->block);
    forget(note);
  }
}

/// One child more. With the first one the stretch is emptied if nothing lives in it.
void enter() {
  u32 seen = 0;
  if (scopes.compare_exchange_strong(seen, kEmptying)) {
    if (living.load() == 0) used.store(0);
    scopes.store(1);
    return;
  }
  while (seen == kEmptying || !scopes.compare_exchange_weak(seen, seen + 1)) {
    if (seen == kEmptying) sched_yield();
    seen = scopes.load();
  }
}

/// One child less. What lies behind its last living block is free again if no other child has allocated meanwhile and
/// it has not been killed while it did.
void leave_scope(u32 child, u64 start) {
  u32 seen = 1;
  if (!scopes.compare_exchange_strong(seen, kEmptying)) {
    scopes.fetch_sub(1);
    return;
  }
  u64 needed = start;
  u64 at = start;
  const u64 end = used.load();
  for (; at < end && header_at(at)->child == child; at += sizeof(Header) + header_at(at)->size)
    if (header_at(at)->living.load()) needed = at + sizeof(Header) + header_at(at)->size;
  if (at == end) used.store(needed);
  scopes.store(0);
}

}  // namespace

BorrowerHeap::Scope::Scope() : outer_(active) {
  reserve();
  enter();
  start_ = used.load();
  active = ++children;
}

BorrowerHeap::Scope::~Scope() {
  const u32 child = active;
  active = outer_;
  if (outer_ == 0) free_noted();
  leave_scope(child, start_);
}

void BorrowerHeap::leave() {
  active = 0;
  scopes.store(0);
  free_noted();
}

extern "C" {

void* __wrap_malloc(std::size_t size) {
  if (active) [[unlikely]]
    if (void* block = allocate(size, kAlignment)) return block;
  return __real_malloc(size);
}

void* __wrap_memalign(std::size_t alignment, std::size_t size) {
  if (active) [[unlikely]]
    if (void* block = allocate(size, alignment)) return block;
  return __real_memalign(alignment, size);
}

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return __wrap_memalign(alignment, size);
}

int __wrap_posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  void* block = __wrap_memalign(alignment, size);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

void __wrap_free(void* block) {
  if (is_borrowers(block)) [[unlikely]] {
    forget(block);
  } else if (active && block) [[unlikely]] {
    note_freed(block);
  } else {
    __real_free(block);
  }
}

void* __wrap_calloc(std::size_t count, std::size_t size) {
  std::size_t bytes;
  if (!active || __builtin_mul_overflow(count, size, &bytes)) [[likely]]
    return __real_calloc(count, size);
  void* block = __wrap_malloc(bytes);
  return block ? std::memset(block, 0, bytes) : nullptr;  // the stretch is used again
}

void* __wrap_realloc(void* block, std::size_t size) {
  if (!block) return __wrap_malloc(size);
  if (!active && !is_borrowers(block)) [[likely]]
    return __real_realloc(block, size);
  void* larger = __wrap_malloc(size);
  if (!larger) return nullptr;
  std::memcpy(larger, block, std::min(size, size_of(block)));
  __wrap_free(block);
  return larger;
}

}  // extern "C"

}  // namespace tiercel::user
