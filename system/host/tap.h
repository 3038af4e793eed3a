// A network interface of the host (TAP) as a cable. Linux, Documentation/networking/tuntap.rst.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "system/host/event_loop.h"
#include "system/host/packet_port.h"

namespace tiercel::system {

/// Attaches to interface `name`, which is made if it does not exist and the user may. The loop is the machine's I/O
/// loop, not started yet.
Result<std::unique_ptr<PacketPort>> open_tap(EventLoop& loop, const std::string& name);

}  // namespace tiercel::system
