#include "app/machine/device_options.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <vector>

namespace tiercel::machine {
namespace {

constexpr double kLongestTime = 1e9;  // seconds

/// At single commas; a double one stands for itself.
std::vector<std::string> split_fields(const std::string& text) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',')
      fields.back() += text[i];
    else if (i + 1 < text.size() && text[i + 1] == ',')
      fields.back() += text[++i];
    else
      fields.emplace_back();
  }
  return fields;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// What follows `key` in `field`, if it begins with that.
std::optional<std::string> value_of(const std::string& field, std::string_view key) {
  if (!field.starts_with(key)) return std::nullopt;
  return field.substr(key.size());
}

tl::unexpected<Error> refuse(const char* option, const std::string& what, const char* known) {
  return fail(EINVAL, fmt::format("{}: '{}' is not {}", option, what, known));
}

bool parse_port(const std::string& text, u16& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

bool parse_forward(const std::string& text, system::PortForward& forward) {
  std::vector<std::string> parts = split(text, ':');
  if (parts[0] == "tcp" || parts[0] == "udp") {
    forward.udp = parts[0] == "udp";
    parts.erase(parts.begin());
  }
  if (parts.size() == 3) {
    in_addr ignored;
    if (inet_pton(AF_INET, parts[0].c_str(), &ignored) != 1) return false;
    forward.host_address = parts[0];
    parts.erase(parts.begin());
  }
  return parts.size() == 2 && parse_port(parts[0], forward.host_port) && parse_port(parts[1], forward.guest_port);
}

bool parse_mac(const std::string& text, system::VirtioNet::Mac& mac) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != mac.size()) return false;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* const end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, mac[i], 16);
    if (error != std::errc{} || stop != end || parts[i].size() > 2) return false;
  }
  return (mac[0] & 1) == 0;  // no multicast address
}

}  // namespace

Result<DiskOption> parse_disk(const std::string& text) {
  const std::vector<std::string> fields = split_fields(text);
  DiskOption disk{fields[0]};
  if (disk.path.empty()) return refuse("--disk", text, "FILE[,format=raw|qcow2][,readonly|,temporary]");
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i] == "readonly")
      disk.read_only = true;
    else if (fields[i] == "temporary")
      disk.temporary = true;
    else if (fields[i] == "format=raw")
      disk.format = system::DiskFormat::Raw;
    else if (fields[i] == "format=qcow2")
      disk.format = system::DiskFormat::Qcow2;
    else
      return refuse("--disk", fields[i], "format=raw, format=qcow2, readonly or temporary");
  }
  if (disk.read_only && disk.temporary) return fail(EINVAL, "--disk: readonly and temporary exclude each other");
  return disk;
}

Result<FirmwareOption> parse_firmware(const std::string& text) {
  FirmwareOption firmware;
  bool first = true;
  for (const std::string& field : split_fields(text)) {
    if (const auto file = value_of(field, "vars="); file && !file->empty())
      firmware.variables = *file;
    else if (first && !field.empty())
      firmware.path = field;
    else
      return refuse("--firmware", field, "vars=FILE");
    first = false;
  }
  return firmware;
}

Result<NetOption> parse_net(const std::string& text) {
  const std::vector<std::string> fields = split_fields(text);
  NetOption net;
  if (fields[0] == "none")
    net.kind = NetOption::Kind::None;
  else if (fields[0] == "tap")
    net.kind = NetOption::Kind::Tap;
  else if (fields[0] != "user")
    return refuse("--net", fields[0], "user, tap or none");
  const bool user = net.kind == NetOption::Kind::User, tap = net.kind == NetOption::Kind::Tap;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (const auto forward = value_of(fields[i], "forward="); user && forward) {
      if (!parse_forward(*forward, net.user.forwards.emplace_back()))
        return refuse("--net", fields[i], "forward=[tcp:|udp:][ADDRESS:]HOSTPORT:GUESTPORT");
    } else if (user && fields[i] == "restricted") {
      net.user.restricted = true;
    } else if (const auto name = value_of(fields[i], "name="); tap && name) {
      net.interface = *name;
    } else if (const auto mac = value_of(fields[i], "mac="); (user || tap) && mac) {
      if (!parse_mac(*mac, net.mac.emplace()))
        return refuse("--net", fields[i], "the mac= of a network card, for instance mac=02:00:00:00:00:01");
    } else {
      return refuse("--net", fields[i],
                    user  ? "forward=..., restricted or mac=..."
                    : tap ? "name=... or mac=..."
                          : "a field of none");
    }
  }
  if (tap && net.interface.empty()) return refuse("--net", text, "tap,name=INTERFACE");
  return net;
}

Result<ShareOption> parse_share(const std::string& text) {
  const std::vector<std::string> fields = split_fields(text);
  constexpr const char* kForm = "FOLDER:TAG[,readonly]";
  const std::size_t colon = fields[0].rfind(':');
  if (colon == std::string::npos) return refuse("--share", text, kForm);
  ShareOption share{fields[0].substr(0, colon), fields[0].substr(colon + 1)};
  if (share.folder.empty() || share.tag.empty()) return refuse("--share", text, kForm);
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (fields[i] != "readonly") return refuse("--share", fields[i], "readonly");
    share.read_only = true;
  }
  return share;
}

Result<SaveOption> parse_save(const std::string& text) {
  const std::vector<std::string> fields = split_fields(text);
  SaveOption save{fields[0]};
  if (save.path.empty()) return refuse("--save", text, "FILE[,after=SECONDS[,continue]]");
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (const auto after = value_of(fields[i], "after=")) {
      const auto [end, error] = std::from_chars(after->data(), after->data() + after->size(), save.after);
      const bool number = error == std::errc{} && end == after->data() + after->size();
      if (!number || !(save.after > 0 && save.after < kLongestTime))
        return refuse("--save", fields[i], "after=SECONDS");
    } else if (fields[i] == "continue" && save.after > 0) {
      save.goes_on = true;
    } else {
      return refuse("--save", fields[i], "after=SECONDS, or continue behind that");
    }
  }
  return save;
}

Result<SerialOption> parse_serial(const std::string& text) {
  using Kind = SerialOption::Kind;
  if (text == "stdio") return SerialOption{Kind::Stdio, {}};
  if (text == "null") return SerialOption{Kind::Null, {}};
  if (const auto path = value_of(text, "file:"); path && !path->empty()) return SerialOption{Kind::File, *path};
  if (text.starts_with("unix:") || text.starts_with("tcp:")) return SerialOption{Kind::Socket, text};
  return refuse("--serial", text, "stdio, null, file:PATH, unix:PATH or tcp:[ADDRESS:]PORT");
}

}  // namespace tiercel::machine
