#include "debug/gdb/handover.h"

#include <fmt/format.h>

#include <climits>

#include "debug/gdb/packet.h"

namespace tiercel::debug::gdb {

std::vector<int*> Handover::descriptors() {
  std::vector<int*> out = {&listener, &connection};
  for (auto& [number, fd] : files) out.push_back(&fd);
  return out;
}

std::string Handover::pack() const {
  std::string word = fmt::format("{:x}:{:x}:{}:{}:{:x}:{:x}:{:x}:", listener, connection, acknowledges ? 1 : 0,
                                 knows_breakpoint_stops ? 1 : 0, passed_signals, next_file, files.size());
  for (const auto& [number, fd] : files) word += fmt::format("{:x}:{:x}:", number, fd);
  return word + to_hex(where) + ':' + to_hex(file);
}

std::optional<Handover> Handover::unpack(std::string_view word) {
  Cursor cursor(word);
  bool good = true;
  const auto next = [&]() -> u64 {
    const std::optional<u64> number = cursor.number();
    good = good && number && cursor.skip(":");
    return good ? *number : 0;
  };
  const auto descriptor = [&] {
    const u64 fd = next();
    good = good && fd <= INT_MAX;
    return good ? static_cast<int>(fd) : -1;
  };
  Handover out;
  out.listener = descriptor();
  out.connection = descriptor();
  out.acknowledges = next() != 0;
  out.knows_breakpoint_stops = next() != 0;
  out.passed_signals = next();
  out.next_file = next();
  for (u64 left = next(); good && left != 0; --left) {
    const u64 number = next();
    out.files[number] = descriptor();
  }
  const std::optional<std::string> where = from_hex(cursor.until(':')), file = from_hex(cursor.rest());
  if (!good || !where || !file) return {};
  out.where = *where;
  out.file = *file;
  return out;
}

}  // namespace tiercel::debug::gdb
