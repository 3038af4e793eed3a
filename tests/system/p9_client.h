// A 9P2000.L client for one message at a time.
#pragma once

#include <string>

#include "system/host/p9/server.h"

namespace tiercel::system::p9 {

struct Client {
  Server& server;
  std::vector<u8> answer;

  /// Sends a message; 0, or the error that came back. `answer` is what follows the header.
  u32 call(u8 type, Writer body, u64 room = 1 << 20) {
    Writer m;
    m.number(static_cast<u32>(7 + body.bytes().size()));
    m.number(type);
    m.number(u16{1});
    m.bytes().insert(m.bytes().end(), body.bytes().begin(), body.bytes().end());
    const std::vector<u8> all = server.handle(m.bytes(), room);
    if (all.size() < 7) return ~u32{0};
    answer.assign(all.begin() + 7, all.end());
    return all[4] == 7 ? Reader(answer).number<u32>() : all[4] == type + 1 ? 0 : ~u32{0};
  }
  u32 version() {
    Writer w;
    w.number(u32{65536});
    w.text("9P2000.L");
    return call(100, w);
  }
  u32 attach(u32 fid) {
    Writer w;
    w.number(fid);
    w.number(~u32{0});
    w.text("root");
    w.text("");
    w.number(u32{0});
    return call(104, w);
  }
  u32 walk(u32 from, u32 to, const std::vector<std::string>& names) {
    Writer w;
    w.number(from);
    w.number(to);
    w.number(static_cast<u16>(names.size()));
    for (const std::string& n : names) w.text(n);
    return call(110, w);
  }
  u32 clunk(u32 fid) {
    Writer w;
    w.number(fid);
    return call(120, w);
  }
  u32 open(u32 fid, u32 flags) {
    Writer w;
    w.number(fid);
    w.number(flags);
    return call(12, w);
  }
  u32 create(u32 fid, const std::string& name, u32 flags, u32 mode) {
    Writer w;
    w.number(fid);
    w.text(name);
    w.number(flags);
    w.number(mode);
    w.number(u32{0});
    return call(14, w);
  }
  u32 write(u32 fid, u64 offset, const std::string& data) {
    Writer w;
    w.number(fid);
    w.number(offset);
    w.number(static_cast<u32>(data.size()));
    w.bytes().insert(w.bytes().end(), data.begin(), data.end());
    return call(118, w);
  }
  /// What Tread (116) and Treaddir (40) give.
  std::string read(u32 fid, u64 offset, u32 count, u8 type = 116) {
    Writer w;
    w.number(fid);
    w.number(offset);
    w.number(count);
    if (const u32 error = call(type, w)) return "error " + std::to_string(error);
    Reader r(answer);
    const std::span<const u8> data = r.data(r.number<u32>());
    return {data.begin(), data.end()};
  }
  u32 named(u8 type, u32 fid, const std::string& name, const std::string& target = "") {
    Writer w;
    w.number(fid);
    w.text(name);
    if (type == 16) w.text(target);
    w.number(type == 72 ? u32{0755} : u32{0});
    w.number(u32{0});
    return call(type, w);
  }
};

}  // namespace tiercel::system::p9
