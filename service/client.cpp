#include "service/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <optional>
#include <utility>

#include "base/time.h"
#include "service/descriptors.h"
#include "service/messages.h"
#include "service/own_descriptors.h"
#include "service/place.h"
#include "service/region_cache.h"

namespace tiercel::service {
namespace {

constexpr u64 kMillisecond = 1'000'000, kSecond = 1'000 * kMillisecond;
constexpr u64 kRetryDelay = 20 * kMillisecond;  // between attempts to connect
constexpr u64 kPatience = 30 * kSecond;         // for an answer, and for a service to start
constexpr u64 kAliveCheck = 50 * kMillisecond;  // how often to see whether the service still runs
constexpr int kKeptPatience = 100;              // ms, for what is kept
constexpr u32 kMaxStarts = 5;                   // of the service by one process
constexpr u32 kMaxSilences = 2;                 // regions in a row that it has and does not answer

/// One request's shared memory.
class Shared {
 public:
  Shared() = default;
  explicit Shared(void* base) : base_(static_cast<u8*>(base)) {}
  Shared(Shared&& other) noexcept : base_(std::exchange(other.base_, nullptr)) {}
  Shared& operator=(Shared&& other) noexcept {
    std::swap(base_, other.base_);
    return *this;
  }
  ~Shared() {
    if (base_) munmap(base_, kSharedBytes);
  }

  explicit operator bool() const { return base_ != nullptr; }
  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  /// A copy: the other side may still write.
  std::vector<u8> reply() const {
    const u64 start = reply_offset(header().request_bytes), size = header().reply_bytes.load();
    if (start > kSharedBytes || size > kSharedBytes - start) return {};
    return {base_ + start, base_ + start + size};
  }

 private:
  u8* base_ = nullptr;
};

/// A sealed memfd that holds `request`, or -1.
int make_memory(const std::vector<u8>& request) {
  const int fd = memfd_create("tiercel-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, kSharedBytes) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) return -1;
  const Header header{protocol_stamp(), {static_cast<u32>(State::Waiting)}, static_cast<u32>(request.size()), {0}, {0}};
  // Written with system calls: where memory is short they fail, and a store would raise SIGBUS.
  const auto write_all = [fd](const void* data, u64 size, u64 offset) {
    return pwrite(fd, data, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
  };
  if (!write_all(&header, sizeof header, 0) || !write_all(request.data(), request.size(), sizeof header)) return -1;
  return fd;
}

/// One attempt to hand a request over.
struct Delivery {
  const std::string& path;
  const std::vector<u8>& request;
  Shared memory = {};
  int service = 0;    // its pid
  int connected = 0;  // 0, or why not: an errno
};

/// With own descriptors: what is opened here is not closed. The copies of the guest's are, because it may have as many
/// as it is allowed.
void deliver(void* raw) {
  Delivery& d = *static_cast<Delivery*>(raw);
  close_range(0, ~0U, 0);
  const int s = connect_to(d.path, d.service);
  if (s < 0) {
    d.connected = errno;
    return;
  }
  const int fd = make_memory(d.request);
  if (fd < 0) {
    d.connected = errno;
    return;
  }
  void* base = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return;
  Shared memory(base);
  if (send_descriptor(s, fd)) d.memory = std::move(memory);
}

/// One attempt to map what the service has kept.
struct Mapping {
  const std::string& path;
  KeptRegions kept = {};
};

/// With own descriptors, as deliver().
void map_kept(void* raw) {
  Mapping& m = *static_cast<Mapping*>(raw);
  close_range(0, ~0U, 0);
  int service;
  const int s = connect_to(m.path, service);
  const char nothing = 0;
  if (s < 0 || send(s, &nothing, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) return;
  pollfd answer{s, POLLIN, 0};
  if (poll(&answer, 1, kKeptPatience) != 1) return;
  if (const int fd = receive_descriptor(s); fd >= 0) m.kept = KeptRegions(fd);
}

struct Pending {
  u64 ticket = 0;
  std::optional<engine::RegionAnswer> known;  // it was kept
  std::vector<u8> request;                    // until it is sent
  Shared memory;                              // once it is sent
  u64 since = 0;
  u64 request_fingerprint = 0;
  int service = 0;  // pid it was sent to
};

class Client final : public engine::RegionService {
 public:
  explicit Client(const ClientOptions& options) : options_(options) {
    auto directory = socket_directory();
    if (!directory)
      give_up(directory.error().message);
    else if (access(options_.compiler.c_str(), X_OK) < 0)
      give_up(fmt::format("{} cannot be executed: {}", options_.compiler, std::strerror(errno)));
    else
      directory_ = *directory, path_ = socket_path(directory_, options_.compiler);
  }

  bool submit(u64 ticket, const ir::Region& region, bool want_listing) override {
    if (given_up_) return false;
    Pending p;
    p.ticket = ticket;
    p.since = monotonic_ns();
    p.request = encode_request(options_.layout, options_.features, region, want_listing);
    if (sizeof(Header) + p.request.size() > kSharedBytes / 2) return false;
    p.request_fingerprint = fingerprint(p.request);
    if (!find_kept(p)) send(p);
    pending_.push_back(std::move(p));
    return true;
  }

  bool collect(engine::RegionAnswer& answer, bool wait) override {
    answer = {};
    while (!pending_.empty()) {
      if (wait && service_ != kept_by_) look_for_kept();
      for (auto it = pending_.begin(); it != pending_.end(); ++it) {
        if (!finished(*it, answer)) continue;
        pending_.erase(it);
        return true;
      }
      if (!wait) return false;
      sleep_on(pending_.front());
    }
    return false;
  }

  void forget() override { pending_.clear(); }

 private:
  /// Says why once; from now on everything is refused.
  void give_up(const std::string& why) {
    if (!given_up_ && options_.warn) options_.warn(why);
    given_up_ = true;
  }

  /// What was kept and is not sound is asked for.
  bool find_kept(Pending& p) const {
    const std::vector<u8> reply = kept_.find(p.request, p.request_fingerprint);
    engine::RegionAnswer answer;
    if (reply.empty() || !decode_reply(reply, p.request_fingerprint, answer.code, answer.why)) return false;
    answer.ticket = p.ticket;
    answer.compiled = true;
    p.known = std::move(answer);
    return true;
  }

  /// Once for each service, and by guests that wait for their regions anyway: it may take some time.
  void look_for_kept() {
    kept_by_ = service_;
    Mapping mapping{path_};
    run_with_own_descriptors(map_kept, &mapping);
    kept_ = std::move(mapping.kept);
  }

  void send(Pending& p) {
    const u64 time = monotonic_ns();
    if (time < next_attempt_) return;
    Delivery delivery{path_, p.request};
    // After unshare(CLONE_NEWPID) the kernel makes no more threads; at RLIMIT_NPROC neither.
    if (!run_with_own_descriptors(deliver, &delivery)) delivery.connected = ENOMEM;
    if (delivery.memory) {
      p.memory = std::move(delivery.memory);
      p.service = delivery.service;
      service_ = delivery.service;
      p.request = {};
      return;
    }
    next_attempt_ = time + kRetryDelay;
    not_connected(p, delivery.connected, time);
  }

  void not_connected(Pending& p, int why, u64 time) {
    switch (why) {
      case 0:
      case EAGAIN:
      case EINTR:
        return;
      case ENOENT:
      case ECONNREFUSED:
        return start(time);
      case EMFILE:
      case ENFILE:
      case ENOMEM:
      case ENOBUFS:
      case ENOSPC:
      case EFBIG:     // RLIMIT_FSIZE
        p.since = 0;  // this region will not come; a later one may
        return;
      case EPERM:
        return give_up(fmt::format("the socket {} belongs to another user", path_));
      default:
        return give_up(fmt::format("cannot connect to {}: {}", path_, std::strerror(why)));
    }
  }

  void start(u64 time) {
    if (started_at_ != 0 && time - started_at_ < kSecond) return;  // it is on its way
    if (starts_ >= kMaxStarts) return give_up("the translation service does not stay alive");
    ++starts_;
    started_at_ = time;
    if (!start_daemon(options_.compiler, directory_)) give_up("the translation service cannot be started");
  }

  bool finished(Pending& p, engine::RegionAnswer& answer) {
    if (p.known) {
      answer = std::move(*p.known);
      return true;
    }
    if (!p.memory && !given_up_) send(p);
    const auto state =
        p.memory ? static_cast<State>(p.memory.header().state.load(std::memory_order_acquire)) : State::Waiting;
    if (state == State::Waiting) {
      if (!given_up_ && !lost(p)) return false;
      answer.ticket = p.ticket;
      answer.why = "the translation service did not answer";
      if (p.memory && monotonic_ns() - p.since > kPatience && ++silences_ >= kMaxSilences)
        give_up("the translation service does not answer");
      return true;
    }
    silences_ = 0;
    answer.ticket = p.ticket;
    answer.compile_ns = p.memory.header().compile_ns.load();
    const std::vector<u8> reply = p.memory.reply();
    if (state == State::Compiled)
      answer.compiled = decode_reply(reply, p.request_fingerprint, answer.code, answer.why);
    else
      answer.why.assign(reply.begin(),
                        reply.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(reply.size(), 500)));
    return true;
  }

  /// The service that has this request is gone, or too much time went by.
  bool lost(const Pending& p) {
    const u64 time = monotonic_ns();
    if (time - p.since > kPatience) return true;
    if (!p.memory || p.service <= 0 || time < next_alive_check_) return false;
    next_alive_check_ = time + kAliveCheck;
    return kill(p.service, 0) < 0 && errno == ESRCH;
  }

  void sleep_on(const Pending& p) const {
    const timespec limit{0, static_cast<long>(p.memory ? kAliveCheck : kMillisecond)};
    if (!p.memory) {
      nanosleep(&limit, nullptr);
      return;
    }
    // Not FUTEX_PRIVATE: another process wakes it.
    syscall(SYS_futex, &p.memory.header().state, FUTEX_WAIT, static_cast<u32>(State::Waiting), &limit, nullptr, 0);
  }

  const ClientOptions options_;
  std::string directory_, path_;
  std::deque<Pending> pending_;
  KeptRegions kept_;
  std::optional<int> service_, kept_by_;  // pids: of the last one that took a request, and of that which has kept_
  bool given_up_ = false;
  u32 starts_ = 0, silences_ = 0;
  u64 started_at_ = 0, next_attempt_ = 0, next_alive_check_ = 0;
};

}  // namespace

std::unique_ptr<engine::RegionService> make_client(const ClientOptions& options) {
  return std::make_unique<Client>(options);
}

}  // namespace tiercel::service
