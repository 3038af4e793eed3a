#include "debug/gdb/stub.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "debug/gdb/packet.h"
#include "debug/gdb/signals.h"

namespace tiercel::debug::gdb {
namespace {

constexpr const char* kOk = "OK";
constexpr const char* kMalformed = "E.the packet is malformed";
constexpr const char* kNoThread = "E.there is no such thread";
constexpr const char* kNoMemory = "E.there is no such memory";
constexpr const char* kNotHex = "E01";    // where the answer would be digits, GDB takes no text for an error
constexpr int kTrap = 5, kInterrupt = 2;  // of GDB's signals

std::string_view as_text(std::span<const u8> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const u8> as_bytes(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

/// `-1` and `0` are all threads and any: both nothing.
struct ThreadName {
  bool valid = false;
  bool all = false;
  ThreadId id = 0;
};
ThreadName thread_name(std::string_view text) {
  if (text == "-1") return {.valid = true, .all = true};
  Cursor cursor(text);
  const std::optional<u64> id = cursor.number();
  if (!id || !cursor.at_end()) return {};
  return {.valid = true, .id = *id};
}

int signal_of(const StopEvent& event) {
  switch (event.kind) {
    case StopEvent::Kind::Interrupted:
      return event.number != 0 ? signal_to_gdb(event.number) : kInterrupt;
    case StopEvent::Kind::Signal:
    case StopEvent::Kind::Killed:
      return signal_to_gdb(event.number);
    default:
      return kTrap;
  }
}

/// The answer to qXfer: a piece of a document, after `l` if it is the last one.
std::string piece(std::string_view document, u64 offset, u64 length) {
  if (offset >= document.size()) return "l";
  length = std::min<u64>(length, kMaxPayload / 2 - 1);  // every byte may need an escape
  const std::string_view part = document.substr(offset, length);
  return (offset + part.size() < document.size() ? "m" : "l") + std::string(part);
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '&' || c == '"' || static_cast<u8>(c) < ' ' || static_cast<u8>(c) > '~')
      out += fmt::format("&#{};", static_cast<u8>(c) < ' ' ? '?' : static_cast<u8>(c));
    else
      out += c;
  }
  return out;
}

}  // namespace

Stub::Stub(Target& target, const Handover& before)
    : target_(target),
      files_(target, before.files, before.next_file),
      acknowledges_(before.acknowledges),
      knows_breakpoint_stops_(before.knows_breakpoint_stops),
      follows_programs_(true),
      passed_signals_(before.passed_signals) {
  target_.pass_signals(passed_signals_);
}

Handover Stub::handover() const {
  Handover out;
  out.acknowledges = acknowledges_;
  out.knows_breakpoint_stops = knows_breakpoint_stops_;
  out.passed_signals = passed_signals_;
  out.files = files_.open_files();
  out.next_file = files_.next_number();
  return out;
}

bool Stub::exists(ThreadId id) {
  const std::vector<ThreadId> all = target_.threads();
  return std::find(all.begin(), all.end(), id) != all.end();
}

ThreadId Stub::thread() {
  if (selected_ != 0) return selected_;
  if (exists(last_.thread)) return last_.thread;
  const std::vector<ThreadId> all = target_.threads();
  return all.empty() ? 0 : all.front();
}

std::optional<std::string> Stub::answer(const std::string& packet) {
  if (packet.empty()) return "";
  const std::string_view rest = std::string_view(packet).substr(1);
  switch (packet[0]) {
    case '?':
      return stop_reply(last_);
    case 'q':
      return general_query(rest);
    case 'Q':
      return general_set(rest);
    case 'v':
      return v_packet(rest);
    case 'H':
      return select_thread(rest);
    case 'T': {
      const ThreadName name = thread_name(rest);
      return name.valid && exists(name.id) ? kOk : kNoThread;
    }
    case 'g':
      return read_registers();
    case 'G':
      return write_registers(rest);
    case 'p':
      return read_one_register(rest);
    case 'P':
      return write_one_register(rest);
    case 'm':
      return read_memory(rest);
    case 'M':
    case 'X':
      return write_memory(rest, packet[0] == 'X');
    case 'Z':
    case 'z':
      return set_trap(packet[0] == 'Z', rest);
    case 'c':
    case 'C':
    case 's':
    case 'S':
      return resume_plainly(packet[0], rest);
    case 'D':
      ended_ = true;
      return kOk;
    case 'k':
      ended_ = kills_ = true;
      return "";
    default:
      return "";
  }
}

std::string Stub::stop_reply(const StopEvent& event) {
  last_ = event;
  selected_ = 0;
  if (event.kind == StopEvent::Kind::Exited) return fmt::format("W{:02x}", event.number & 0xff);
  if (event.kind == StopEvent::Kind::Killed) return fmt::format("X{:02x}", signal_of(event));
  std::string out = fmt::format("T{:02x}", signal_of(event));
  if (event.kind == StopEvent::Kind::Executed)
    return out + fmt::format("exec:{};thread:{:x};", to_hex(target_.executable().value_or("")), thread());
  std::array<u8, Target::kMaxRegister> value;
  for (const u32 number : target_.expedited_registers()) {
    const std::size_t size = target_.read_register(thread(), number, value);
    if (size != 0) out += fmt::format("{:x}:{};", number, to_hex(as_text(std::span(value).first(size))));
  }
  out += fmt::format("thread:{:x};", thread());
  if (event.kind == StopEvent::Kind::Breakpoint && knows_breakpoint_stops_) out += "swbreak:;";
  if (event.kind == StopEvent::Kind::Watch)
    out += fmt::format("{}watch:{:x};", !event.reads ? "" : event.writes ? "a" : "r", event.address);
  return out;
}

std::string Stub::supported(std::string_view features) {
  const bool has_programs = target_.executable().has_value();
  for (Cursor cursor(features); !cursor.at_end();) {
    const std::string_view feature = cursor.until(';');
    if (feature == "swbreak+") knows_breakpoint_stops_ = true;
    if (feature == "exec-events+") follows_programs_ = has_programs;
  }
  std::string out = fmt::format(
      "PacketSize={:x};QStartNoAckMode+;QPassSignals+;vContSupported+;swbreak+;"
      "qXfer:features:read+;qXfer:threads:read+",
      kMaxPayload);
  if (target_.auxiliary_vector()) out += ";qXfer:auxv:read+";
  if (has_programs) out += ";qXfer:exec-file:read+;exec-events+";
  return out;
}

std::string Stub::general_query(std::string_view packet) {
  Cursor cursor(packet);
  if (cursor.skip("Supported")) return cursor.skip(":"), supported(cursor.rest());
  if (cursor.skip("Xfer:")) return transfer(cursor.rest());
  if (packet == "C") return fmt::format("QC{:x}", thread());
  if (packet == "fThreadInfo") return next_threads(true);
  if (packet == "sThreadInfo") return next_threads(false);
  if (cursor.skip("ThreadExtraInfo,")) {
    const ThreadName name = thread_name(cursor.rest());
    return name.valid && exists(name.id) ? to_hex(target_.thread_name(name.id)) : kNoThread;
  }
  if (cursor.skip("Attached")) return "1";  // at its end GDB leaves the guest running
  if (cursor.skip("Symbol:")) return kOk;
  return "";
}

std::string Stub::general_set(std::string_view packet) {
  Cursor cursor(packet);
  if (packet == "StartNoAckMode") return acknowledges_ = false, kOk;
  if (cursor.skip("PassSignals:")) return pass_signals(cursor.rest());
  return "";
}

std::string Stub::pass_signals(std::string_view list) {
  u64 set = 0;
  for (Cursor cursor(list); !cursor.at_end(); cursor.skip(";")) {
    const std::optional<u64> number = cursor.number();
    if (!number) return kMalformed;
    const int linux_number = *number < 1024 ? signal_from_gdb(static_cast<int>(*number)) : 0;
    if (linux_number != 0) set |= u64{1} << (linux_number - 1);
  }
  passed_signals_ = set;
  target_.pass_signals(set);
  return kOk;
}

/// object:read:annex:offset,length
std::string Stub::transfer(std::string_view arguments) {
  Cursor cursor(arguments);
  const std::string_view object = cursor.until(':');
  if (!cursor.skip("read:")) return "";
  const std::string_view annex = cursor.until(':');
  const std::optional<u64> offset = cursor.number();
  if (!offset || !cursor.skip(",")) return kMalformed;
  const std::optional<u64> length = cursor.number();
  if (!length) return kMalformed;
  std::optional<std::string> document;
  if (object == "features" && annex == "target.xml")
    document = target_.description();
  else if (object == "threads")
    document = threads_document();
  else if (object == "auxv")
    document = target_.auxiliary_vector();
  else if (object == "exec-file")
    document = target_.executable();
  else if (object != "features")
    return "";
  return document ? piece(*document, *offset, *length) : "E00";
}

std::string Stub::threads_document() {
  std::string out = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (const ThreadId id : target_.threads())
    out += fmt::format("<thread id=\"{:x}\" name=\"{}\"/>\n", id, xml(target_.thread_name(id)));
  return out + "</threads>\n";
}

std::string Stub::next_threads(bool first) {
  if (first) listed_ = target_.threads(), listed_next_ = 0;
  constexpr std::size_t kAtOnce = 500;
  std::string out;
  for (std::size_t i = 0; i < kAtOnce && listed_next_ < listed_.size(); ++i)
    out += fmt::format("{}{:x}", out.empty() ? 'm' : ',', listed_[listed_next_++]);
  return out.empty() ? "l" : out;
}

/// H c or g, and a thread; what c selects is for packets that vCont has replaced.
std::string Stub::select_thread(std::string_view arguments) {
  if (arguments.empty()) return kMalformed;
  const ThreadName name = thread_name(arguments.substr(1));
  if (!name.valid) return kMalformed;
  if (name.id != 0 && !exists(name.id)) return kNoThread;
  if (arguments[0] == 'g') selected_ = name.id;
  return kOk;
}

std::string Stub::read_registers() {
  std::string out;
  std::array<u8, Target::kMaxRegister> value;
  const ThreadId id = thread();
  for (u32 number = 0; number < target_.registers(); ++number) {
    const std::size_t size = target_.read_register(id, number, value);
    if (size == 0) return kNotHex;
    out += to_hex(as_text(std::span(value).first(size)));
  }
  return out;
}

std::string Stub::write_registers(std::string_view digits) {
  const std::optional<std::string> bytes = from_hex(digits);
  if (!bytes) return kMalformed;
  std::span<const u8> rest = as_bytes(*bytes);
  std::array<u8, Target::kMaxRegister> old;
  const ThreadId id = thread();
  for (u32 number = 0; number < target_.registers() && !rest.empty(); ++number) {
    const std::size_t size = target_.read_register(id, number, old);
    if (size == 0) return kNoThread;
    if (rest.size() < size) return kMalformed;
    const std::span<const u8> value = rest.first(size);
    rest = rest.subspan(size);
    // What only shows something stays as it is.
    if (!std::equal(value.begin(), value.end(), old.begin()) && !target_.write_register(id, number, value))
      return "E.a register cannot be written";
  }
  return kOk;
}

std::string Stub::read_one_register(std::string_view arguments) {
  const std::optional<u64> number = Cursor(arguments).number();
  if (!number || *number >= target_.registers()) return kNotHex;
  std::array<u8, Target::kMaxRegister> value;
  const std::size_t size = target_.read_register(thread(), static_cast<u32>(*number), value);
  return size == 0 ? kNotHex : to_hex(as_text(std::span(value).first(size)));
}

std::string Stub::write_one_register(std::string_view arguments) {
  Cursor cursor(arguments);
  const std::optional<u64> number = cursor.number();
  if (!number || *number >= target_.registers() || !cursor.skip("=")) return kMalformed;
  const std::optional<std::string> value = from_hex(cursor.rest());
  if (!value) return kMalformed;
  return target_.write_register(thread(), static_cast<u32>(*number), as_bytes(*value))
             ? kOk
             : "E.the register cannot be written";
}

std::string Stub::read_memory(std::string_view arguments) {
  Cursor cursor(arguments);
  const std::optional<u64> address = cursor.number();
  if (!address || !cursor.skip(",")) return kNotHex;
  const std::optional<u64> size = cursor.number();
  if (!size) return kNotHex;
  std::vector<u8> bytes(std::min<u64>(*size, kMaxPayload / 2 - 8));
  const std::size_t done = target_.read_memory(thread(), *address, bytes);
  if (done == 0 && !bytes.empty()) return kNotHex;
  return to_hex(as_text(std::span(bytes).first(done)));
}

std::string Stub::write_memory(std::string_view arguments, bool binary) {
  Cursor cursor(arguments);
  const std::optional<u64> address = cursor.number();
  if (!address || !cursor.skip(",")) return kMalformed;
  const std::optional<u64> size = cursor.number();
  if (!size || !cursor.skip(":")) return kMalformed;
  const std::optional<std::string> bytes = binary ? std::string(cursor.rest()) : from_hex(cursor.rest());
  if (!bytes || bytes->size() != *size) return kMalformed;
  if (bytes->empty()) return kOk;
  return target_.write_memory(thread(), *address, as_bytes(*bytes)) ? kOk : kNoMemory;
}

/// type,address,kind
std::string Stub::set_trap(bool on, std::string_view arguments) {
  Cursor cursor(arguments);
  const std::optional<u64> type = cursor.number();
  if (!type || !cursor.skip(",")) return kMalformed;
  const std::optional<u64> address = cursor.number();
  if (!address || !cursor.skip(",")) return kMalformed;
  const std::optional<u64> kind = cursor.number();
  if (!kind) return kMalformed;
  switch (*type) {
    case 0:  // software and hardware breakpoints are the same to a translator
    case 1:
      return target_.set_breakpoint(*address, on) ? kOk : "E.too many breakpoints";
    case 2:
    case 3:
    case 4: {
      const Target::WatchKind watch{.reads = *type != 2, .writes = *type != 3};
      return target_.set_watch(watch, *address, *kind, on) ? kOk : "E.too many watchpoints";
    }
    default:
      return "";
  }
}

Stub::Answer Stub::v_packet(std::string_view packet) {
  Cursor cursor(packet);
  if (packet == "Cont?") return "vCont;c;C;s;S;r";
  if (cursor.skip("Cont;")) return resume(cursor.rest());
  if (cursor.skip("File:")) return files_.answer(cursor.rest());
  if (cursor.skip("Kill;")) {
    ended_ = kills_ = true;
    return kOk;
  }
  return "";
}

Stub::Answer Stub::resume(std::string_view list) {
  std::vector<Action> actions;
  for (Cursor cursor(list); !cursor.at_end();) {
    Cursor word(cursor.until(';'));
    Action& action = actions.emplace_back();
    const bool steps = word.rest().starts_with('s') || word.rest().starts_with('S') || word.rest().starts_with('r');
    action.resume.how = steps ? Resume::How::Step : Resume::How::Continue;
    if (word.skip("C") || word.skip("S")) {
      const std::optional<u64> signal = word.number();
      if (!signal || *signal > 255) return kMalformed;
      action.resume.signal = signal_from_gdb(static_cast<int>(*signal));
    } else if (word.skip("r")) {
      const std::optional<u64> start = word.number();
      if (!start || !word.skip(",")) return kMalformed;
      const std::optional<u64> end = word.number();
      if (!end) return kMalformed;
      action.resume.range_start = *start;
      action.resume.range_end = *end;
    } else if (!word.skip("c") && !word.skip("s")) {
      return kMalformed;
    }
    if (word.at_end()) continue;
    const ThreadName name = word.skip(":") ? thread_name(word.rest()) : ThreadName{};
    if (!name.valid) return kMalformed;
    if (!name.all) action.thread = name.id != 0 ? name.id : thread();
    if (!name.all && !exists(*action.thread)) return kNoThread;
  }
  if (actions.empty()) return kMalformed;
  target_.resume(actions);
  return {};
}

/// c, s, C signal and S signal, of debuggers that do not know vCont: a step is the stopped thread's.
Stub::Answer Stub::resume_plainly(char how, std::string_view argument) {
  Action action;
  action.resume.how = how == 's' || how == 'S' ? Resume::How::Step : Resume::How::Continue;
  if (how == 'C' || how == 'S') {
    const std::optional<u64> signal = Cursor(argument).number();
    if (!signal || *signal > 255) return kMalformed;
    action.resume.signal = signal_from_gdb(static_cast<int>(*signal));
  } else if (!argument.empty()) {
    return "E.resuming at another address is not supported";
  }
  action.thread = thread();
  const Action others{.resume = {.how = Resume::How::Continue}, .thread = {}};
  target_.resume(std::array{action, others});
  return {};
}

}  // namespace tiercel::debug::gdb
