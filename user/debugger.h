// The guest process as a debugger sees it, and the thread that talks to the debugger.
#pragma once

#include <memory>
#include <string>

#include "debug/session.h"

namespace tiercel::user {

class Process;

class Debugger final : public debug::Session {
 public:
  /// Waits for debuggers at `where` (debug::Listener) on a thread of its own. The guest's threads stand still until the
  /// first one says so.
  static Result<std::unique_ptr<Debugger>> start(Process& process, const std::string& where);

  std::string thread_name(debug::ThreadId thread) override;
  std::size_t read_memory(debug::ThreadId thread, u64 address, std::span<u8> out) override;
  bool write_memory(debug::ThreadId thread, u64 address, std::span<const u8> bytes) override;
  void kill() override;
  std::optional<std::string> auxiliary_vector() override;
  std::optional<std::string> executable() override;
  std::optional<std::string> host_path(const std::string& path) override;

 private:
  Debugger(Process& process, debug::Listener listener);
  /// The bytes from `address` on that lie in pages of the guest.
  std::size_t owned(u64 address, std::size_t size);
  void serve(int listener, std::atomic<bool>& ready);

  Process& process_;
  debug::gdb::Server server_;
  int memory_fd_ = -1;  // in the server's descriptor table
};

}  // namespace tiercel::user
