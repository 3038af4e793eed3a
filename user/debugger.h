// The guest process as a debugger sees it, and the thread that talks to the debugger.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "debug/session.h"

namespace tiercel::user {

class Process;

class Debugger final : public debug::Session {
 public:
  /// Waits for debuggers at `where` (debug::Listener) on a thread of its own. The guest's threads stand still until the
  /// first one says so.
  static Result<std::unique_ptr<Debugger>> start(Process& process, const std::string& where);
  /// Goes on with the debugger of the program that executed this one: `handover` is what ExecHandover said.
  static Result<std::unique_ptr<Debugger>> take_over(Process& process, const std::string& handover);

  std::string thread_name(debug::ThreadId thread) override;
  std::size_t read_memory(debug::ThreadId thread, u64 address, std::span<u8> out) override;
  bool write_memory(debug::ThreadId thread, u64 address, std::span<const u8> bytes) override;
  void kill() override;
  std::optional<std::string> auxiliary_vector() override;
  std::optional<std::string> executable() override;
  std::optional<std::string> host_path(const std::string& path) override;

 private:
  friend class ExecHandover;
  Debugger(Process& process, debug::Listener listener);
  Debugger(Process& process, const debug::gdb::Handover& before);
  /// Starts the thread, which alone has these descriptors then.
  void begin(std::vector<int> descriptors);
  /// The bytes from `address` on that lie in pages of the guest.
  std::size_t owned(u64 address, std::size_t size);
  void serve(std::span<const int> descriptors, std::atomic<bool>& ready);

  Process& process_;
  debug::gdb::Server server_;
  int memory_fd_ = -1;  // in the server's descriptor table
  std::mutex exec_mutex_;
};

/// Around the execve of a debugged thread: the guest's other threads stand still, and what the next program needs to go
/// on with the debugger is in open descriptors. Where it ends the execve has failed.
class ExecHandover {
 public:
  explicit ExecHandover(debug::Runner* runner, Debugger* debugger);
  ~ExecHandover();
  ExecHandover(const ExecHandover&) = delete;
  ExecHandover& operator=(const ExecHandover&) = delete;
  /// For Debugger::take_over. Empty: no debugger follows.
  std::string word() const { return given_ ? handover_.pack() : std::string(); }

 private:
  debug::Runner* const runner_;
  Debugger* const debugger_;
  debug::gdb::Handover handover_;
  bool given_ = false;
};

}  // namespace tiercel::user
