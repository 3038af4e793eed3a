// The network without privileges: libslirp speaks TCP/IP with the guest and uses the host's sockets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "system/bus/clock.h"
#include "system/host/event_loop.h"
#include "system/host/packet_port.h"

namespace tiercel::system {

/// A host port whose connections reach the guest.
struct PortForward {
  bool udp = false;
  std::string host_address = "127.0.0.1";  // IPv4, dotted
  u16 host_port = 0;
  u16 guest_port = 0;  // of the first address that DHCP gives
};

struct SlirpOptions {
  std::vector<PortForward> forwards;
  std::string host_name = "tiercel";
  bool restricted = false;  // the guest reaches nothing but forwards
};

/// 10.0.2.0/24 with gateway .2, name server .3 and the guest at .15, and fec0::/64. `loop` must be the one that runs
/// the clock's timers, and not started yet. The network outlives the loop's thread. An error names the port that is in
/// use.
Result<std::unique_ptr<PacketPort>> make_slirp_network(EventLoop& loop, Clock& clock, const SlirpOptions& options);

}  // namespace tiercel::system
