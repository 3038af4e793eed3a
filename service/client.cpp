#include "service/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
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
#include <utility>

#include "service/descriptors.h"
#include "service/messages.h"
#include "service/place.h"

namespace tiercel::service {
namespace {

constexpr u64 kMillisecond = 1'000'000, kSecond = 1'000 * kMillisecond;
constexpr u64 kRetryDelay = 20 * kMillisecond;  // between attempts to connect
constexpr u64 kPatience = 30 * kSecond;         // for an answer, and for a service to start
constexpr u64 kAliveCheck = 50 * kMillisecond;  // how often to see whether the service still runs
constexpr u32 kMaxStarts = 5;                   // of the service by one process

u64 now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<u64>(t.tv_sec) * kSecond + static_cast<u64>(t.tv_nsec);
}

/// One request's shared memory.
class Shared {
 public:
  Shared() = default;
  Shared(Shared&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), fd_(std::exchange(other.fd_, -1)), owner_(other.owner_) {}
  Shared& operator=(Shared&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(fd_, other.fd_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~Shared() {
    if (base_) munmap(base_, kSharedBytes);
    close_descriptor();
  }

  bool create(const std::vector<u8>& request) {
    if (sizeof(Header) + request.size() > kSharedBytes / 2) return false;
    fd_ = memfd_create("tiercel-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd_ < 0 || ftruncate(fd_, kSharedBytes) < 0 || fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
      return false;
    Header header{protocol_stamp(), {static_cast<u32>(State::Waiting)}, static_cast<u32>(request.size()), {0}, {0}};
    // Written with system calls: where memory is short they fail, and a store would raise SIGBUS.
    if (!write_all(&header, sizeof header, 0) || !write_all(request.data(), request.size(), sizeof header))
      return false;
    void* memory = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED) return false;
    base_ = static_cast<u8*>(memory);
    return true;
  }

  /// -1 in a process that shares our memory but not our descriptors (vfork): there the number names something else.
  int descriptor() const { return owner_ == getpid() ? fd_ : -1; }
  void close_descriptor() {
    if (descriptor() >= 0) close(fd_);
    fd_ = -1;
  }
  /// This process was forked from the owner, and its descriptors are copies.
  void adopt() { owner_ = getpid(); }
  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  /// A copy: the other side may still write.
  std::vector<u8> reply() const {
    const u64 start = reply_offset(header().request_bytes), size = header().reply_bytes.load();
    if (start > kSharedBytes || size > kSharedBytes - start) return {};
    return {base_ + start, base_ + start + size};
  }

 private:
  bool write_all(const void* data, u64 size, u64 offset) const {
    return pwrite(fd_, data, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
  }
  u8* base_ = nullptr;
  int fd_ = -1;
  pid_t owner_ = getpid();
};

struct Pending {
  u64 ticket = 0;
  Shared memory;
  u64 since = 0;
  bool sent = false;
  int service = 0;  // pid it was sent to, 0: unknown
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
    p.since = now();
    if (!p.memory.create(encode_request(options_.layout, options_.features, region, want_listing))) return false;
    send(p);
    pending_.push_back(std::move(p));
    return true;
  }

  bool collect(engine::RegionAnswer& answer, bool wait) override {
    answer = {};
    while (!pending_.empty()) {
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

  void forget_in_child(bool shares_descriptors) override {
    if (!shares_descriptors)
      for (Pending& p : pending_) p.memory.adopt();
    pending_.clear();
  }

 private:
  /// Says why once; from now on everything is refused.
  void give_up(const std::string& why) {
    if (!given_up_ && options_.warn) options_.warn(why);
    given_up_ = true;
  }

  void send(Pending& p) {
    const u64 time = now();
    if (time < next_attempt_ || p.memory.descriptor() < 0) return;
    const int s = connect_to(path_, p.service);
    if (s < 0) {
      next_attempt_ = time + kRetryDelay;
      if (errno == EPERM) return give_up(fmt::format("the socket {} belongs to another user", path_));
      if (errno == ENOENT || errno == ECONNREFUSED) start(time);
      return;
    }
    p.sent = send_descriptor(s, p.memory.descriptor());
    close(s);
    if (p.sent) p.memory.close_descriptor();
  }

  void start(u64 time) {
    if (started_at_ != 0 && time - started_at_ < kSecond) return;  // it is on its way
    if (starts_ >= kMaxStarts) return give_up("the translation service does not stay alive");
    ++starts_;
    started_at_ = time;
    if (!start_daemon(options_.compiler, directory_)) give_up("the translation service cannot be started");
  }

  bool finished(Pending& p, engine::RegionAnswer& answer) {
    if (!p.sent && !given_up_) send(p);
    const auto state = static_cast<State>(p.memory.header().state.load(std::memory_order_acquire));
    if (state == State::Waiting) {
      if (!given_up_ && !lost(p)) return false;
      answer.ticket = p.ticket;
      answer.why = "the translation service did not answer";
      return true;
    }
    answer.ticket = p.ticket;
    answer.compile_ns = p.memory.header().compile_ns.load();
    const std::vector<u8> reply = p.memory.reply();
    if (state == State::Compiled)
      answer.compiled = decode_reply(reply, answer.code, answer.why);
    else
      answer.why.assign(reply.begin(),
                        reply.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(reply.size(), 500)));
    return true;
  }

  /// The service that has this request is gone, or too much time went by.
  bool lost(const Pending& p) {
    const u64 time = now();
    if (time - p.since > kPatience) return true;
    if (!p.sent || p.service <= 0 || time < next_alive_check_) return false;
    next_alive_check_ = time + kAliveCheck;
    return kill(p.service, 0) < 0 && errno == ESRCH;
  }

  void sleep_on(const Pending& p) const {
    const timespec limit{0, static_cast<long>(p.sent ? kAliveCheck : kMillisecond)};
    // Not FUTEX_PRIVATE: another process wakes it.
    syscall(SYS_futex, &p.memory.header().state, FUTEX_WAIT, static_cast<u32>(State::Waiting), &limit, nullptr, 0);
  }

  const ClientOptions options_;
  std::string directory_, path_;
  std::deque<Pending> pending_;
  bool given_up_ = false;
  u32 starts_ = 0;
  u64 started_at_ = 0, next_attempt_ = 0, next_alive_check_ = 0;
};

}  // namespace

std::unique_ptr<engine::RegionService> make_client(const ClientOptions& options) {
  return std::make_unique<Client>(options);
}

}  // namespace tiercel::service
