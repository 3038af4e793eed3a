#include "service/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string_view>
#include <thread>
#include <unordered_set>

#include "service/descriptors.h"
#include "service/place.h"
#include "service/region_cache.h"

namespace tiercel::service {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxQueue = 256;
constexpr std::size_t kMaxFatal = 4096;
constexpr auto kTick = std::chrono::milliseconds(500);  // between looks at workers that take long

/// What one worker is at.
struct Place {
  Worker worker;
  std::unique_ptr<Job> job;  // null: idle
  u64 request_bytes = 0;
  u64 request_hash = 0;
  Clock::time_point since;
};

class Server {
 public:
  explicit Server(const ServerOptions& options) : options_(options) {}

  int run() {
    if (!listen_alone()) return status_;
    u32 workers = options_.workers;
    if (workers == 0) workers = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
    places_.resize(workers);
    while (serve_once()) {
    }
    unlink(path_.c_str());
    for (Place& p : places_)
      if (p.worker.running()) p.worker.bury();
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

  /// Waits for something to happen and deals with it. False: nothing did for too long.
  bool serve_once() {
    std::vector<pollfd> polled{{listener_, POLLIN, 0}};
    bool busy = false;
    for (const Place& p : places_) {
      polled.push_back({p.worker.channel(), POLLIN, 0});  // a channel of -1 is passed over
      busy |= p.job != nullptr;
    }
    const auto patience = busy ? kTick : std::chrono::seconds(options_.idle_seconds);
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(patience / std::chrono::milliseconds(1)));
    if (ready < 0) return errno == EINTR;
    if (ready == 0 && !busy) return false;
    for (std::size_t i = 0; i < places_.size(); ++i) look_at(places_[i], polled[i + 1].revents != 0);
    if (polled[0].revents != 0) accept_one();
    hand_out();
    return true;
  }

  void look_at(Place& p, bool spoke) {
    Worker::Compiled compiled;
    if (spoke && p.worker.answered(compiled)) {
      if (!compiled.request.empty()) cache_.add(compiled.request, compiled.reply);
      p.job.reset();
    } else if (spoke) {
      failed_on(p, fmt::format("the compiler died of it ({})", p.worker.bury()));
    } else if (p.job && Clock::now() - p.since > std::chrono::seconds(options_.compile_seconds)) {
      p.worker.bury();
      failed_on(p, "the compiler took too long");
    }
  }

  /// The worker is gone. What it was at is refused, now and whenever it comes again.
  void failed_on(Place& p, std::string_view why) {
    if (p.job && !p.job->answered()) {
      if (fatal_.size() >= kMaxFatal) fatal_.clear();
      fatal_.insert(p.request_hash);
      p.job->refuse(why, 0, p.request_bytes);
    }
    p.job.reset();
  }

  void accept_one() {
    const int s = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (s < 0) return;
    if (int fd; receive(s, fd)) {
      if (fd >= 0)
        take_in(std::make_unique<Job>(fd));
      else
        send_descriptor(s, cache_.descriptor());
    }
    close(s);
  }

  /// What is known does not wait for a worker.
  void take_in(std::unique_ptr<Job> job) {
    std::vector<u8> request;
    if (!job->take(request) || answer_from_cache(*job, request)) return;
    if (queue_.size() >= kMaxQueue) queue_.pop_front();  // nobody will wait that long; the oldest one least of all
    queue_.push_back(std::move(job));
  }

  bool answer_from_cache(Job& job, const std::vector<u8>& request) {
    const std::vector<u8> reply = cache_.find(request);
    if (!reply.empty()) job.answer(State::Compiled, reply.data(), reply.size(), 0, request.size());
    return !reply.empty();
  }

  void hand_out() {
    for (Place& p : places_)
      while (!p.job && !queue_.empty()) {
        std::unique_ptr<Job> job = std::move(queue_.front());
        queue_.pop_front();
        give(p, std::move(job));
      }
  }

  void give(Place& p, std::unique_ptr<Job> job) {
    std::vector<u8> request;
    if (!job->take(request)) return;
    p.request_bytes = request.size();
    // It may have been compiled meanwhile, for somebody else.
    if (answer_from_cache(*job, request)) return;
    p.request_hash = fingerprint(request);
    if (fatal_.count(p.request_hash) != 0) return job->refuse("the compiler died of it before", 0, p.request_bytes);
    if (!p.worker.running() && !p.worker.start(options_.make_compiler, options_.keep))
      return job->refuse("the translation service cannot start a process", 0, p.request_bytes);
    p.since = Clock::now();
    p.job = std::move(job);
    if (!p.worker.send(*p.job)) {  // it died while it had nothing to do
      p.worker.bury();
      p.job->refuse("the translation service lost a process", 0, p.request_bytes);
      p.job.reset();
    }
  }

  /// The descriptor of a request, or -1 from somebody who wants to map what is kept. False: nobody that is served. Only
  /// this user's processes get here; still, none may hold the others up.
  static bool receive(int s, int& fd) {
    const timeval patience{1, 0};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ucred peer = {};
    socklen_t size = sizeof peer;
    if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != getuid()) return false;
    return receive_byte(s, fd);
  }

  const ServerOptions& options_;
  std::string path_;
  int listener_ = -1;
  int status_ = 0;
  std::vector<Place> places_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::unordered_set<u64> fatal_;  // hashes of requests
  RegionCache cache_{options_.cache_bytes};
};

/// The limits of the guest that started the service are not those of the others that it serves.
void lift_limits() {
  std::signal(SIGXFSZ, SIG_IGN);  // where it cannot be lifted: what does not fit is not written
  for (const auto resource : {RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE}) {
    rlimit limit;
    if (getrlimit(resource, &limit) < 0) continue;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
  }
}

}  // namespace

int serve(const ServerOptions& options) {
  lift_limits();
  return Server(options).run();
}

}  // namespace tiercel::service
