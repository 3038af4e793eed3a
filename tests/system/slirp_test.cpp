// The user-mode network: a guest made of a few packets talks to a socket of this host.
#include "system/slirp/slirp_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace tiercel::system {
namespace {

using Bytes = std::vector<u8>;

/// A UDP socket of this host on a port of its own.
struct HostSocket {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  u16 port = 0;
  HostSocket() {
    sockaddr_in a = {};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&a), size), 0);
    getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
    port = ntohs(a.sin_port);
  }
  ~HostSocket() { close(fd); }
};

struct Net {
  RealClock clock;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(&clock));
  std::unique_ptr<PacketPort> port;
  std::vector<Bytes> received;
  explicit Net(const SlirpOptions& options = {}) {
    port = std::move(*make_slirp_network(*loop, clock, options));
    port->on_receive([this](std::span<const u8> f) { received.emplace_back(f.begin(), f.end()); });
  }
  /// Runs the loop until a frame of that type came; it is the last one in `received`.
  bool wait_for(u16 type) {
    for (int i = 0; i < 200; ++i) {
      if (!received.empty() && received.back()[12] == type >> 8 && received.back()[13] == (type & 0xff)) return true;
      loop->run_once(10);
    }
    return false;
  }
};

constexpr u8 kGuestMac[6] = {0x52, 0x54, 0, 0, 0, 1};

Bytes ethernet(const u8* to, u16 type, const Bytes& payload) {
  Bytes f(14 + payload.size());
  std::memcpy(f.data(), to, 6);
  std::memcpy(f.data() + 6, kGuestMac, 6);
  f[12] = static_cast<u8>(type >> 8), f[13] = static_cast<u8>(type);
  std::memcpy(f.data() + 14, payload.data(), payload.size());
  return f;
}

Bytes arp_request() {
  Bytes arp = {0, 1, 8, 0, 6, 4, 0, 1};
  arp.insert(arp.end(), kGuestMac, kGuestMac + 6);
  arp.insert(arp.end(), {10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2});
  const u8 everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return ethernet(everybody, 0x0806, arp);
}

Bytes udp(const u8* to, u16 port, const std::string& text) {
  const u16 udp_bytes = static_cast<u16>(8 + text.size()), bytes = static_cast<u16>(20 + udp_bytes);
  Bytes p = {
      0x45, 0, static_cast<u8>(bytes >> 8), static_cast<u8>(bytes), 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0,
      2,    2};
  u32 sum = 0;
  for (std::size_t i = 0; i < 20; i += 2) sum += u32{p[i]} << 8 | p[i + 1];
  sum = ~((sum & 0xffff) + (sum >> 16));
  p[10] = static_cast<u8>(sum >> 8), p[11] = static_cast<u8>(sum);
  p.insert(p.end(), {0x30, 0x39, static_cast<u8>(port >> 8), static_cast<u8>(port), static_cast<u8>(udp_bytes >> 8),
                     static_cast<u8>(udp_bytes), 0, 0});
  p.insert(p.end(), text.begin(), text.end());
  return ethernet(to, 0x0800, p);
}

TEST(Slirp, CarriesPacketsToTheHostAndBack) {
  HostSocket host;
  Net net;
  net.port->send(arp_request());
  ASSERT_TRUE(net.wait_for(0x0806));
  u8 gateway[6];
  std::memcpy(gateway, net.received.back().data() + 6, 6);

  net.port->send(udp(gateway, host.port, "ping"));
  sockaddr_in from = {};
  socklen_t size = sizeof from;
  char text[16];
  ASSERT_EQ(recvfrom(host.fd, text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from), &size), 4);
  EXPECT_EQ(sendto(host.fd, "pong!", 5, 0, reinterpret_cast<sockaddr*>(&from), size), 5);
  ASSERT_TRUE(net.wait_for(0x0800));
  const Bytes& answer = net.received.back();
  ASSERT_GE(answer.size(), 47u);
  EXPECT_EQ(std::string(answer.begin() + 42, answer.begin() + 47), "pong!");
}

TEST(Slirp, APortInUseIsAnError) {
  HostSocket host;
  RealClock clock;
  const auto loop = std::move(*EventLoop::create(&clock));
  const auto network = make_slirp_network(*loop, clock, {.forwards = {{true, "127.0.0.1", host.port, 22}}});
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().message.find(std::to_string(host.port)), std::string::npos) << network.error().message;
  EXPECT_FALSE(make_slirp_network(*loop, clock, {.forwards = {{true, "nonsense", 1, 22}}}));
}

TEST(Slirp, SurvivesAnyPacket) {
  Net net;
  for (std::size_t size = 0; size < 100; ++size) net.port->send(Bytes(size, static_cast<u8>(size * 7)));
  net.port->send(Bytes(65550, 0x45));
  net.loop->run_once(0);
}

}  // namespace
}  // namespace tiercel::system
