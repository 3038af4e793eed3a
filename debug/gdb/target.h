// What the stub asks of the guest it shows. All calls come from one thread; those about threads, registers and memory
// while the guest stands still.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "debug/event.h"

namespace tiercel::debug::gdb {

/// An action of vCont: for `thread`, or for all threads.
struct Action {
  Resume resume;
  std::optional<ThreadId> thread;
};

class Target {
 public:
  virtual ~Target() = default;

  // The CPU.
  /// XML, the main document of the target description.
  virtual std::string_view description() const = 0;
  virtual u32 registers() const = 0;
  /// Those that a stop reply names.
  virtual std::span<const u32> expedited_registers() const = 0;
  /// Bytes, 0: no such register. `out` has room for kMaxRegister.
  virtual std::size_t read_register(ThreadId thread, u32 number, std::span<u8> out) = 0;
  /// False: not like this.
  virtual bool write_register(ThreadId thread, u32 number, std::span<const u8> value) = 0;
  static constexpr std::size_t kMaxRegister = 64;

  virtual std::vector<ThreadId> threads() = 0;
  virtual std::string thread_name(ThreadId thread) = 0;

  // Memory as `thread` sees it.
  /// How many bytes from `address` on could be read.
  virtual std::size_t read_memory(ThreadId thread, u64 address, std::span<u8> out) = 0;
  virtual bool write_memory(ThreadId thread, u64 address, std::span<const u8> bytes) = 0;

  // Traps. False: cannot be set.
  virtual bool set_breakpoint(u64 address, bool on) = 0;
  struct WatchKind {
    bool reads = false, writes = false;
  };
  virtual bool set_watch(WatchKind kind, u64 address, u64 size, bool on) = 0;

  // Running.
  /// A debugger is there: the guest is to stand still. take_event tells when it does.
  virtual void attach() = 0;
  virtual void interrupt() = 0;
  /// Why the guest has stopped, once for each time. Nothing: it runs still.
  virtual std::optional<StopEvent> take_event() = 0;
  /// The end of the guest, which take_event told of, is known to the debugger.
  virtual void end_is_known() = 0;
  /// The first action that names a thread is its; threads without one stand still. Returns at once.
  virtual void resume(std::span<const Action> actions) = 0;
  /// Signals that the guest gets without being stopped: bit n - 1 for signal n.
  virtual void pass_signals(u64 set) = 0;
  /// The guest goes on without a debugger.
  virtual void detach() = 0;
  virtual void kill() = 0;

  // Programs. Nothing: there is none.
  virtual std::optional<std::string> auxiliary_vector() { return {}; }
  virtual std::optional<std::string> executable() { return {}; }
  /// Where the guest's file is for the host.
  virtual std::optional<std::string> host_path(const std::string&) { return {}; }
};

}  // namespace tiercel::debug::gdb
