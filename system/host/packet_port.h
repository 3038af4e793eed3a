// A network cable, as network cards see it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/types.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

/// Ethernet frames without checksum. Everything here happens on one event loop's thread.
class PacketPort {
 public:
  virtual ~PacketPort() = default;
  virtual void send(std::span<const u8> frame) = 0;
  /// `receive` is called for each frame that arrives, never from within send; what it cannot take is lost, as on a
  /// wire.
  virtual void on_receive(std::function<void(std::span<const u8>)> receive) = 0;
  /// Its part of a snapshot, if the other end is ours.
  virtual Result<void> serialize(Snapshot& /*snapshot*/, const std::string& /*name*/) { return {}; }
};

}  // namespace tiercel::system
