// GDB's remote serial protocol without its wires: from the payload of a packet to the payload of its answer. What
// arrives is trusted in nothing but that the debugger may do to the guest whatever it likes.
//
// Manual: GDB, appendix "GDB Remote Serial Protocol". All threads stop together ("all-stop"), and thread ids are plain
// (no multiprocess extensions).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "debug/gdb/handover.h"
#include "debug/gdb/host_files.h"
#include "debug/gdb/target.h"

namespace tiercel::debug::gdb {

class Stub {
 public:
  explicit Stub(Target& target) : target_(target), files_(target) {}
  /// Goes on where another one stopped.
  Stub(Target& target, const Handover& before);
  /// For one that goes on: all but the wires.
  Handover handover() const;

  /// Answers a packet while the guest stands still. Nothing: the guest runs, and the answer will be a stop reply.
  std::optional<std::string> answer(const std::string& packet);
  /// What is said when the guest stops.
  std::string stop_reply(const StopEvent& event);

  /// Packets are acknowledged, until the debugger asks for silence.
  bool acknowledges() const { return acknowledges_; }
  /// The debugger has left: once the answer is sent, the guest goes on, and nothing more is said.
  bool ended() const { return ended_; }
  /// ... and wants the guest to be killed, once the answer is sent.
  bool kills() const { return kills_; }
  /// The debugger knows what it means that the guest executes another program.
  bool follows_programs() const { return follows_programs_; }

 private:
  using Answer = std::optional<std::string>;

  std::string general_query(std::string_view packet);
  std::string general_set(std::string_view packet);
  Answer v_packet(std::string_view packet);
  Answer resume(std::string_view actions);
  Answer resume_plainly(char how, std::string_view argument);
  std::string supported(std::string_view features);
  std::string transfer(std::string_view arguments);
  std::string threads_document();
  std::string select_thread(std::string_view arguments);
  std::string next_threads(bool first);
  std::string read_registers();
  std::string write_registers(std::string_view digits);
  std::string read_one_register(std::string_view arguments);
  std::string write_one_register(std::string_view arguments);
  std::string read_memory(std::string_view arguments);
  std::string write_memory(std::string_view arguments, bool binary);
  std::string set_trap(bool on, std::string_view arguments);
  std::string pass_signals(std::string_view list);

  /// The thread that registers and memory are about.
  ThreadId thread();
  bool exists(ThreadId id);

  Target& target_;
  HostFiles files_;
  StopEvent last_;
  ThreadId selected_ = 0;  // 0: any
  std::vector<ThreadId> listed_;
  std::size_t listed_next_ = 0;
  bool acknowledges_ = true;
  bool ended_ = false;
  bool kills_ = false;
  bool knows_breakpoint_stops_ = false;
  bool follows_programs_ = false;
  u64 passed_signals_ = 0;
};

}  // namespace tiercel::debug::gdb
