#include "service/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <mutex>
#include <thread>

#include "service/messages.h"
#include "service/place.h"

namespace tiercel::service {
namespace {

constexpr std::size_t kMaxQueue = 256;

u64 thread_cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}

/// The shared memory of one request. The client cannot shrink it: the seals are checked before it is mapped.
class Job {
 public:
  explicit Job(int fd) : fd_(fd) {
    struct stat info;
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;
    if (fstat(fd_, &info) < 0 || info.st_size != static_cast<off_t>(kSharedBytes) ||
        (fcntl(fd_, F_GET_SEALS) & kSeals) != kSeals)
      return;
    void* memory = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory != MAP_FAILED) base_ = static_cast<u8*>(memory);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() {
    if (base_) munmap(base_, kSharedBytes);
    close(fd_);
  }

  bool take(std::vector<u8>& request) {
    if (!base_ || header().stamp != protocol_stamp()) return false;
    request_bytes_ = header().request_bytes;
    if (request_bytes_ > kSharedBytes / 2) return false;
    request.assign(base_ + sizeof(Header), base_ + sizeof(Header) + request_bytes_);
    return true;
  }

  void answer(State state, const void* data, u64 size, u64 compile_ns) {
    const u64 start = reply_offset(request_bytes_);
    if (size > kSharedBytes - start ||
        pwrite(fd_, data, size, static_cast<off_t>(start)) != static_cast<ssize_t>(size)) {
      state = State::Refused;
      size = 0;
    }
    header().reply_bytes.store(size);
    header().compile_ns.store(compile_ns);
    header().state.store(static_cast<u32>(state), std::memory_order_release);
    syscall(SYS_futex, &header().state, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  }

 private:
  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  int fd_;
  u8* base_ = nullptr;
  u64 request_bytes_ = 0;
};

/// A worker's compiler, made again when a guest with other surroundings comes.
class Worker {
 public:
  explicit Worker(const ServerOptions& options) : options_(options) {}

  void work(Job& job) {
    std::vector<u8> bytes;
    if (!job.take(bytes)) return;
    const u64 start = thread_cpu_ns();
    Request request;
    std::string why = "the translation service did not understand the request";
    backend::RegionCode code;
    const bool compiled = decode_request(bytes, request) && compile(request, code, why);
    const u64 spent = thread_cpu_ns() - start;
    if (!compiled) return job.answer(State::Refused, why.data(), why.size(), spent);
    const std::vector<u8> reply = encode_reply(code);
    job.answer(State::Compiled, reply.data(), reply.size(), spent);
  }

 private:
  bool compile(Request& request, backend::RegionCode& code, std::string& why) {
    std::vector<u8> surroundings = encode_request(request.layout, request.features, {}, false);
    if (!compiler_ || surroundings != surroundings_) {
      slots_ = request.slots;
      backend::VmLayout layout = request.layout;
      layout.slots = slots_;
      compiler_ = options_.make_compiler(layout, request.features);
      surroundings_ = std::move(surroundings);
    }
    return compiler_->compile(request.region, {request.want_listing}, code, why);
  }

  const ServerOptions& options_;
  std::unique_ptr<backend::RegionCompiler> compiler_;
  std::vector<ir::SlotInfo> slots_;
  std::vector<u8> surroundings_;
};

class Server {
 public:
  explicit Server(const ServerOptions& options) : options_(options) {}

  int run() {
    if (!listen_alone()) return status_;
    u32 threads = options_.threads;
    if (threads == 0) threads = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
    std::vector<std::thread> workers;
    for (u32 i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
    accept_until_idle();
    unlink(path_.c_str());
    {
      const std::lock_guard guard(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& w : workers) w.join();
    return 0;
  }

 private:
  bool failed(const std::string& what) {
    fmt::print(stderr, "tiercel-compiler: {}: {}\n", what, std::strerror(errno));
    status_ = 1;
    return false;
  }

  /// False: another service is there (status 0), or an error.
  bool listen_alone() {
    path_ = socket_path(options_.directory, options_.compiler);
    const std::string lock = path_ + ".lock";
    const int lock_fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_fd < 0) return failed(lock);
    if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) return errno == EWOULDBLOCK ? false : failed(lock);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      return failed(path_);
    }
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    unlink(path_.c_str());
    listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener_ < 0 || bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
        listen(listener_, 128) < 0)
      return failed(path_);
    return true;
  }

  void accept_until_idle() {
    for (;;) {
      pollfd p{listener_, POLLIN, 0};
      const int ready = poll(&p, 1, static_cast<int>(options_.idle_seconds * 1000));
      if (ready < 0 && errno != EINTR) return;
      if (ready == 0 && busy_.load() == 0) return;
      if (ready <= 0) continue;
      const int s = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (s < 0) continue;
      if (const int fd = receive(s); fd >= 0) enqueue(fd);
      close(s);
    }
  }

  /// The descriptor of a request, or -1. Only this user's processes get here; still, none may hold the others up.
  static int receive(int s) {
    const timeval patience{1, 0};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ucred peer = {};
    socklen_t size = sizeof peer;
    if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != getuid()) return -1;
    char byte;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(s, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    const cmsghdr* c = CMSG_FIRSTHDR(&message);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
      return -1;
    int fd;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
  }

  void enqueue(int fd) {
    auto job = std::make_unique<Job>(fd);
    ++busy_;
    {
      const std::lock_guard guard(mutex_);
      if (queue_.size() >= kMaxQueue) {  // nobody will wait that long; the oldest one least of all
        queue_.pop_front();
        --busy_;
      }
      queue_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  void work() {
    Worker worker(options_);
    for (;;) {
      std::unique_ptr<Job> job;
      {
        std::unique_lock guard(mutex_);
        wake_.wait(guard, [this] { return ending_ || !queue_.empty(); });
        if (queue_.empty()) return;
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      worker.work(*job);
      --busy_;
    }
  }

  const ServerOptions& options_;
  std::string path_;
  int listener_ = -1;
  int status_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool ending_ = false;
  std::atomic<u32> busy_{0};
};

}  // namespace

int serve(const ServerOptions& options) {
  return Server(options).run();
}

}  // namespace tiercel::service
