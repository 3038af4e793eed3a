#include "engine/code_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {
namespace {

int make_memfd(u64 size) {
  const int fd = memfd_create("tiercel-code", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

Result<CodeMemory> CodeMemory::create(u64 bytes) {
  CodeMemory m;
  m.size_ = align_up(std::max(bytes, kChunk), kChunk);
  m.fd_ = make_memfd(m.size_);
  if (m.fd_ < 0) return fail(errno, "cannot create the code cache (memfd_create): " + std::string(strerror(errno)));
  void* run = mmap(nullptr, m.size_, PROT_READ | PROT_EXEC, MAP_SHARED, m.fd_, 0);
  void* write = run == MAP_FAILED ? run : mmap(nullptr, m.size_, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd_, 0);
  if (run == MAP_FAILED || write == MAP_FAILED) {
    const int error = errno;
    if (run != MAP_FAILED) munmap(run, m.size_);
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
      fd_(std::exchange(other.fd_, -1)),
      private_(std::move(other.private_)) {}

CodeMemory::~CodeMemory() {
  if (run_) munmap(run_, size_);
  if (write_) munmap(write_, size_);
  if (fd_ >= 0) close(fd_);
}

int CodeMemory::own_memfd() {
  if (fd_ < 0) fd_ = make_memfd(size_);
  CHECK_MSG(fd_ >= 0, "out of file descriptors or memory for the code cache after fork");
  return fd_;
}

void CodeMemory::make_private(u64 chunk) {
  const u64 offset = chunk * kChunk;
  const int fd = own_memfd();
  if (offset < high_water_) {
    const u64 used = std::min(kChunk, high_water_ - offset);
    CHECK_MSG(pwrite(fd, run_ + offset, used, static_cast<off_t>(offset)) == static_cast<ssize_t>(used),
              "out of memory for the code cache");
  }
  void* w =
      mmap(write_ + offset, kChunk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(offset));
  void* r = mmap(run_ + offset, kChunk, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, static_cast<off_t>(offset));
  CHECK_MSG(w != MAP_FAILED && r != MAP_FAILED, "cannot remap the code cache after fork");
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
  if (fd_ >= 0 && (child || used_chunks != 0)) {
    // Chunks this process already owns stay mapped from the old memfd; copies go to a new one.
    close(fd_);
    fd_ = -1;
  }
}

}  // namespace tiercel::engine
