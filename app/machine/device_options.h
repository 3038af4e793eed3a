// The options that describe a device: a name, then fields after commas. A comma that belongs to a name is written
// twice.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "system/devices/virtio/virtio_net.h"
#include "system/host/qcow2.h"
#include "system/slirp/slirp_network.h"

namespace tiercel::machine {

struct DiskOption {
  std::string path;
  system::DiskFormat format = system::DiskFormat::Probe;
  bool read_only = false;
  bool temporary = false;  // what the guest writes is forgotten in the end
};
/// FILE[,format=raw|qcow2][,readonly|,temporary]
Result<DiskOption> parse_disk(const std::string& text);

struct FirmwareOption {
  std::string path;       // empty: what is installed
  std::string variables;  // a file that keeps them; empty: they last as long as the run
};
/// FILE[,vars=FILE] | vars=FILE
Result<FirmwareOption> parse_firmware(const std::string& text);

struct NetOption {
  enum class Kind : u8 { None, User, Tap };
  Kind kind = Kind::User;
  system::SlirpOptions user;
  std::string interface;  // of a TAP network
  std::optional<system::VirtioNet::Mac> mac;
};
/// none | user[,forward=[tcp:|udp:][ADDRESS:]HOST:GUEST]...[,restricted][,mac=M] | tap,name=INTERFACE[,mac=M]
Result<NetOption> parse_net(const std::string& text);

struct ShareOption {
  std::string folder, tag;
  bool read_only = false;
};
/// FOLDER:TAG[,readonly]
Result<ShareOption> parse_share(const std::string& text);

struct SerialOption {
  enum class Kind : u8 { Stdio, Null, File, Socket };
  Kind kind = Kind::Stdio;
  std::string path;  // of a file; or where a socket listens
};
/// stdio | null | file:PATH | unix:PATH | tcp:[ADDRESS:]PORT
Result<SerialOption> parse_serial(const std::string& text);

struct SaveOption {
  std::string path;      // of the snapshot; empty: there is to be none
  double after = 0;      // seconds of the machine's time; 0: not by itself
  bool goes_on = false;  // then, instead of coming to an end
};
/// FILE[,after=SECONDS[,continue]]
Result<SaveOption> parse_save(const std::string& text);

}  // namespace tiercel::machine
