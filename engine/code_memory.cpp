#include "engine/code_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {
namespace {

constexpr int kRun = PROT_READ | PROT_EXEC;

/// Another mapping of the shared pages at `at`: mremap with an old size of 0 duplicates it. MAP_FAILED with errno.
void* map_again(void* at, u64 size) {
  void* copy = mremap(at, 0, size, MREMAP_MAYMOVE);
  if (copy != MAP_FAILED && mprotect(copy, size, kRun) != 0) {
    const int error = errno;
    munmap(copy, size);
    errno = error;
    return MAP_FAILED;
  }
  return copy;
}

void* map_shared(u64 size) {
  return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

}  // namespace

Result<CodeMemory> CodeMemory::create(u64 bytes) {
  CodeMemory m;
  m.size_ = align_up(std::max(bytes, kChunk), kChunk);
  void* write = map_shared(m.size_);
  void* run = write == MAP_FAILED ? write : map_again(write, m.size_);
  if (run == MAP_FAILED) {
    const int error = errno;
    if (write != MAP_FAILED) munmap(write, m.size_);
    return fail(error, "cannot map " + std::to_string(m.size_ >> 20) +
                           " MiB of executable memory for the code cache: " + strerror(error) +
                           " (a smaller --code-cache may help)");
  }
  m.run_ = static_cast<u8*>(run);
  m.write_ = static_cast<u8*>(write);
  m.private_.assign(m.size_ / kChunk, 1);
  return m;
}

CodeMemory::CodeMemory(CodeMemory&& other) noexcept
    : run_(std::exchange(other.run_, nullptr)),
      write_(std::exchange(other.write_, nullptr)),
      size_(other.size_),
      high_water_(other.high_water_),
      populated_(other.populated_),
      private_(std::move(other.private_)) {}

CodeMemory::~CodeMemory() {
  if (run_) munmap(run_, size_);
  if (write_) munmap(write_, size_);
}

void CodeMemory::make_private(u64 chunk) {
  const u64 offset = chunk * kChunk;
  void* write = map_shared(kChunk);
  CHECK_MSG(write != MAP_FAILED, "out of memory for the code cache after fork");
  if (offset < high_water_) std::memcpy(write, run_ + offset, std::min(kChunk, high_water_ - offset));
  void* run = map_again(write, kChunk);
  // Other threads may be executing here: each move replaces the old mapping under the kernel's lock.
  CHECK_MSG(run != MAP_FAILED &&
                mremap(run, kChunk, kChunk, MREMAP_MAYMOVE | MREMAP_FIXED, run_ + offset) != MAP_FAILED &&
                mremap(write, kChunk, kChunk, MREMAP_MAYMOVE | MREMAP_FIXED, write_ + offset) != MAP_FAILED,
            "cannot remap the code cache after fork");
  private_[chunk] = 1;
}

void CodeMemory::write(u64 offset, const void* bytes, u64 size) {
  CHECK(offset + size <= size_);
  for (u64 chunk = offset / kChunk; chunk <= (offset + size - 1) / kChunk; ++chunk)
    if (!private_[chunk]) make_private(chunk);
  populate(offset + size);
  std::memcpy(write_ + offset, bytes, size);
  high_water_ = std::max(high_water_, offset + size);
}

void CodeMemory::populate(u64 end) {
  if (end <= populated_) return;
  // One call per view and chunk instead of two page faults per page. Where the kernel cannot, faults do it.
  const u64 from = populated_;
  populated_ = align_up(end, kChunk);
  madvise(write_ + from, populated_ - from, MADV_POPULATE_WRITE);
  madvise(run_ + from, populated_ - from, MADV_POPULATE_READ);
}

void CodeMemory::patch32(u64 offset, u32 value) {
  DCHECK(offset / 8 == (offset + 3) / 8);
  if (!private_[offset / kChunk]) make_private(offset / kChunk);
  // The field may be misaligned but lies within one 8-byte word: a plain 4-byte store is single-copy atomic on x86.
  asm volatile("movl %1, %0" : "=m"(*reinterpret_cast<u32*>(write_ + offset)) : "r"(value) : "memory");
}

void CodeMemory::freeze_after_fork(bool child) {
  const u64 used_chunks = (high_water_ + kChunk - 1) / kChunk;
  std::fill(private_.begin(), child ? private_.end() : private_.begin() + static_cast<std::ptrdiff_t>(used_chunks),
            u8{0});
}

}  // namespace tiercel::engine
