#include "system/slirp/slirp_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <slirp/libslirp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace tiercel::system {
namespace {

constexpr u64 kNanosecondsPerMs = 1'000'000;

in_addr address(const char* text) {
  in_addr a = {};
  inet_pton(AF_INET, text, &a);
  return a;
}

in6_addr address6(const char* text) {
  in6_addr a = {};
  inet_pton(AF_INET6, text, &a);
  return a;
}

u32 to_epoll(int events) {
  return (events & SLIRP_POLL_IN ? u32{EPOLLIN} : 0) | (events & SLIRP_POLL_OUT ? u32{EPOLLOUT} : 0) |
         (events & SLIRP_POLL_PRI ? u32{EPOLLPRI} : 0);
}

int from_epoll(u32 events) {
  return (events & EPOLLIN ? SLIRP_POLL_IN : 0) | (events & EPOLLOUT ? SLIRP_POLL_OUT : 0) |
         (events & EPOLLPRI ? SLIRP_POLL_PRI : 0) | (events & EPOLLERR ? SLIRP_POLL_ERR : 0) |
         (events & EPOLLHUP ? SLIRP_POLL_HUP : 0);
}

/// Everything happens on the loop's thread, but for its making.
class SlirpNetwork final : public PacketPort {
 public:
  SlirpNetwork(EventLoop& loop, Clock& clock)
      : loop_(loop),
        clock_(clock),
        arrived_(loop.add_doorbell([this] { deliver(); })),
        wake_(clock.add_timer([this] { due_ = true; })) {}
  ~SlirpNetwork() override {
    if (slirp_) slirp_cleanup(slirp_);
  }
  SlirpNetwork(const SlirpNetwork&) = delete;
  SlirpNetwork& operator=(const SlirpNetwork&) = delete;

  Result<void> open(const SlirpOptions& options);

  void send(std::span<const u8> frame) override {
    slirp_input(slirp_, frame.data(), static_cast<int>(frame.size()));
    changed_ = true;
  }
  void on_receive(std::function<void(std::span<const u8>)> receive) override { receive_ = std::move(receive); }
  Result<void> serialize(Snapshot& snapshot, const std::string& name) override;

 private:
  struct Socket {
    int wanted = 0;
    int ready = 0;
    bool named = false;  // in the last round
  };
  struct Timer {
    SlirpNetwork* network;
    SlirpTimerId id;
    void* argument;
    Clock::TimerId alarm;
  };

  static SlirpNetwork& self(void* opaque) { return *static_cast<SlirpNetwork*>(opaque); }
  static SlirpCb callbacks();
  Result<void> forward(const PortForward& f);
  void deliver();
  void prepare_wait();
  int want(int fd, int events);
  int readiness(int index) const;
  Timer* add_timer(SlirpTimerId id, void* argument);

  EventLoop& loop_;
  Clock& clock_;
  EventLoop::Doorbell& arrived_;
  Clock::TimerId wake_;
  SlirpCb callbacks_ = callbacks();
  Slirp* slirp_ = nullptr;
  std::function<void(std::span<const u8>)> receive_;
  std::vector<std::vector<u8>> inbox_;  // libslirp may answer from within send
  std::map<int, Socket> sockets_;       // by descriptor
  std::vector<int> order_;              // the descriptors by the index that libslirp got for each
  std::vector<std::unique_ptr<Timer>> timers_;
  bool due_ = false;        // libslirp's own timeout has passed
  bool any_ready_ = false;  // a socket is
  bool changed_ = true;     // what libslirp waits for may have changed
};

SlirpCb SlirpNetwork::callbacks() {
  SlirpCb c = {};
  c.send_packet = [](const void* data, size_t size, void* opaque) -> ssize_t {
    const u8* bytes = static_cast<const u8*>(data);
    self(opaque).inbox_.emplace_back(bytes, bytes + size);
    self(opaque).arrived_.ring();
    return static_cast<ssize_t>(size);
  };
  c.guest_error = [](const char*, void*) {};  // the guest's packets may be as wrong as it likes
  c.clock_get_ns = [](void* opaque) { return static_cast<int64_t>(self(opaque).clock_.now()); };
  c.timer_new_opaque = [](SlirpTimerId id, void* argument, void* opaque) -> void* {
    return self(opaque).add_timer(id, argument);
  };
  c.timer_free = [](void* timer, void* opaque) { self(opaque).clock_.disarm(static_cast<Timer*>(timer)->alarm); };
  c.timer_mod = [](void* timer, int64_t at_ms, void* opaque) {
    const u64 at = static_cast<u64>(std::max<int64_t>(at_ms, 0)) * kNanosecondsPerMs;
    self(opaque).clock_.arm(static_cast<Timer*>(timer)->alarm, at);
  };
  c.register_poll_fd = [](int, void*) {};
  c.unregister_poll_fd = [](int fd, void* opaque) {
    // Before it is closed: the number may come back as another socket.
    self(opaque).loop_.unwatch(fd);
    self(opaque).sockets_.erase(fd);
  };
  c.notify = [](void* opaque) { self(opaque).changed_ = true; };
  return c;
}

SlirpNetwork::Timer* SlirpNetwork::add_timer(SlirpTimerId id, void* argument) {
  timers_.push_back(std::make_unique<Timer>(Timer{this, id, argument, 0}));
  Timer* timer = timers_.back().get();
  timer->alarm = clock_.add_timer([timer] {
    slirp_handle_timer(timer->network->slirp_, timer->id, timer->argument);
    timer->network->changed_ = true;
  });
  return timer;
}

Result<void> SlirpNetwork::open(const SlirpOptions& options) {
  SlirpConfig config = {};
  config.version = SLIRP_CONFIG_VERSION_MAX;
  config.restricted = options.restricted;
  config.in_enabled = true;
  config.vnetwork = address("10.0.2.0");
  config.vnetmask = address("255.255.255.0");
  config.vhost = address("10.0.2.2");
  config.vnameserver = address("10.0.2.3");
  config.vdhcp_start = address("10.0.2.15");
  config.in6_enabled = true;
  config.vprefix_addr6 = address6("fec0::");
  config.vprefix_len = 64;
  config.vhost6 = address6("fec0::2");
  config.vnameserver6 = address6("fec0::3");
  config.vhostname = options.host_name.c_str();
  slirp_ = slirp_new(&config, &callbacks_, this);
  if (!slirp_) return fail(EINVAL, "libslirp refuses to make a network");
  for (const PortForward& f : options.forwards)
    if (Result<void> done = forward(f); !done) return done;
  loop_.before_wait([this] { prepare_wait(); });
  return {};
}

Result<void> SlirpNetwork::forward(const PortForward& f) {
  in_addr host = {};
  if (inet_pton(AF_INET, f.host_address.c_str(), &host) != 1)
    return fail(EINVAL, fmt::format("'{}' is not an IPv4 address", f.host_address));
  if (slirp_add_hostfwd(slirp_, f.udp, host, f.host_port, address("10.0.2.15"), f.guest_port) != 0)
    return fail(errno, fmt::format("cannot forward {} port {} of {}: {}", f.udp ? "UDP" : "TCP", f.host_port,
                                   f.host_address, std::strerror(errno)));
  return {};
}

/// What libslirp knows of the guest: the addresses that DHCP gave. The host's end of a connection cannot be saved, so
/// the guest finds those reset.
Result<void> SlirpNetwork::serialize(Snapshot& snapshot, const std::string& name) {
  std::vector<u8> ours;
  slirp_state_save(
      slirp_,
      [](const void* data, size_t size, void* out) -> ssize_t {
        const u8* bytes = static_cast<const u8*>(data);
        static_cast<std::vector<u8>*>(out)->insert(static_cast<std::vector<u8>*>(out)->end(), bytes, bytes + size);
        return static_cast<ssize_t>(size);
      },
      &ours);
  return snapshot.section(name, [&](Archive& state) {
    int version = slirp_state_version();
    std::vector<u8> saved = ours;
    state(version);
    state.list(saved, ours.size());
    // It begins with the sockets, which we never have; the rest has one size. So nothing in it is a size or an index.
    constexpr u8 kNoSocket = 0;
    state.require(version == slirp_state_version() && saved.size() == ours.size() && !saved.empty() &&
                  saved[0] == kNoSocket);
    if (!state.loads() || !state.good()) return;
    std::span<const u8> rest = saved;
    const int result = slirp_state_load(
        slirp_, version,
        [](void* data, size_t size, void* from) -> ssize_t {
          std::span<const u8>& left = *static_cast<std::span<const u8>*>(from);
          const std::size_t n = std::min(size, left.size());
          std::copy_n(left.begin(), n, static_cast<u8*>(data));
          left = left.subspan(n);
          return static_cast<ssize_t>(n);
        },
        &rest);
    state.require(result == 0);
  });
}

void SlirpNetwork::deliver() {
  // Delivering may lead to sending, and so to more of them.
  const std::vector<std::vector<u8>> frames = std::exchange(inbox_, {});
  for (const std::vector<u8>& frame : frames)
    if (receive_) receive_(frame);
}

/// libslirp waits for events of `fd`: the index by which it asks for them later.
int SlirpNetwork::want(int fd, int events) {
  Socket& socket = sockets_[fd];
  socket.named = true;
  if (socket.wanted != events) {
    socket.wanted = events;
    loop_.watch(fd, to_epoll(events), [this, fd](u32 ready) {
      sockets_[fd].ready = from_epoll(ready);
      any_ready_ = true;
    });
  }
  order_.push_back(fd);
  return static_cast<int>(order_.size() - 1);
}

/// What happened to the socket of that index, which may be closed by now.
int SlirpNetwork::readiness(int index) const {
  if (index < 0 || static_cast<std::size_t>(index) >= order_.size()) return 0;
  const auto at = sockets_.find(order_[static_cast<std::size_t>(index)]);
  return at == sockets_.end() ? 0 : at->second.ready;
}

/// Lets libslirp work on what is ready, and asks it what to wait for next.
void SlirpNetwork::prepare_wait() {
  if (!changed_ && !any_ready_ && !due_) return;
  if (any_ready_ || due_)
    slirp_pollfds_poll(
        slirp_, 0, [](int index, void* opaque) { return self(opaque).readiness(index); }, this);
  changed_ = any_ready_ = due_ = false;
  for (auto& [fd, socket] : sockets_) socket.named = false, socket.ready = 0;
  order_.clear();
  u32 timeout = ~u32{0};
  slirp_pollfds_fill(
      slirp_, &timeout, [](int fd, int events, void* opaque) { return self(opaque).want(fd, events); }, this);
  std::erase_if(sockets_, [this](const auto& entry) {
    if (!entry.second.named) loop_.unwatch(entry.first);
    return !entry.second.named;
  });
  if (timeout == ~u32{0})
    clock_.disarm(wake_);
  else
    clock_.arm(wake_, clock_.now() + timeout * kNanosecondsPerMs);
}

}  // namespace

Result<std::unique_ptr<PacketPort>> make_slirp_network(EventLoop& loop, Clock& clock, const SlirpOptions& options) {
  auto network = std::make_unique<SlirpNetwork>(loop, clock);
  if (const Result<void> opened = network->open(options); !opened) return tl::unexpected(opened.error());
  return network;
}

}  // namespace tiercel::system
