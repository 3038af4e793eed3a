#include "system/bus/ram.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

// Against a size that wraps when it is rounded or added to an address; hosts map less.
constexpr u64 kMostBytes = u64{1} << 46;

}  // namespace

Result<Ram> Ram::create(u64 bytes) {
  if (bytes == 0 || bytes > kMostBytes)
    return fail(EINVAL, fmt::format("a machine cannot have {} bytes of RAM", bytes));
  Ram ram;
  ram.size_ = align_up(bytes, kPageSize);
  ram.fd_ = memfd_create("tiercel-ram", MFD_CLOEXEC);
  void* base = MAP_FAILED;
  if (ram.fd_ >= 0 && ftruncate(ram.fd_, static_cast<off_t>(ram.size_)) == 0)
    base = mmap(nullptr, ram.size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, ram.fd_, 0);
  if (base == MAP_FAILED)
    return fail(errno, fmt::format("cannot map {} MiB of guest RAM: {}", ram.size_ >> 20, std::strerror(errno)));
  ram.base_ = static_cast<u8*>(base);
  // Huge pages where the host allows them for shared memory: fewer host TLB misses below the guest's own. Only advice.
  madvise(base, ram.size_, MADV_HUGEPAGE);
  return ram;
}

Ram::Ram(Ram&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_), fd_(std::exchange(other.fd_, -1)) {}

Ram::~Ram() {
  if (base_) munmap(base_, size_);
  if (fd_ >= 0) close(fd_);
}

void Ram::clear() {
  if (madvise(base_, size_, MADV_REMOVE) != 0) std::memset(base_, 0, size_);
}

}  // namespace tiercel::system
