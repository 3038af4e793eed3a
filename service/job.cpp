#include "service/job.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "service/descriptors.h"

namespace tiercel::service {

Job::Job(int fd) : fd_(fd) {
  struct stat info;
  if (fstat(fd_, &info) < 0 || info.st_size != static_cast<off_t>(kSharedBytes) ||
      !is_sealed_memory(fd_, F_SEAL_SHRINK | F_SEAL_GROW))
    return;
  void* memory = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory != MAP_FAILED) base_ = static_cast<u8*>(memory);
}

Job::~Job() {
  if (base_) munmap(base_, kSharedBytes);
  close(fd_);
}

bool Job::take(std::vector<u8>& request) {
  if (!base_ || header().stamp != protocol_stamp()) return false;
  const u64 size = header().request_bytes;
  if (size > kSharedBytes / 2) return false;
  request.assign(base_ + sizeof(Header), base_ + sizeof(Header) + size);
  return true;
}

bool Job::answered() const {
  return header().state.load() != static_cast<u32>(State::Waiting);
}

void Job::answer(State state, const void* data, u64 size, u64 compile_ns, u64 request_bytes) {
  const u64 start = reply_offset(request_bytes);
  if (size > kSharedBytes - start || pwrite(fd_, data, size, static_cast<off_t>(start)) != static_cast<ssize_t>(size)) {
    state = State::Refused;
    size = 0;
  }
  header().reply_bytes.store(size);
  header().compile_ns.store(compile_ns);
  header().state.store(static_cast<u32>(state), std::memory_order_release);
  syscall(SYS_futex, &header().state, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace tiercel::service
