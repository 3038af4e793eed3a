// A machine as a debugger sees it: its CPUs are threads, memory is what they see of it.
#pragma once

#include <optional>
#include <string>
#include <thread>

#include "debug/session.h"
#include "system/cpu/arm_cpus.h"

namespace tiercel::system {

class MachineDebugger final : public debug::Session {
 public:
  /// Joins the CPUs, before they run; from then on they can be frozen.
  explicit MachineDebugger(ArmCpus& cpus);
  ~MachineDebugger() override;

  /// Waits for debuggers at `where` (debug::Listener), on a thread of its own. The CPUs stand still until the first one
  /// says so. What to tell the user, or why not.
  Result<std::string> listen(const std::string& where);
  /// The machine is off: tells the debugger, if there is one.
  void report_off();

  std::string thread_name(debug::ThreadId thread) override;
  std::size_t read_memory(debug::ThreadId thread, u64 address, std::span<u8> out) override;
  bool write_memory(debug::ThreadId thread, u64 address, std::span<const u8> bytes) override;
  void kill() override { cpus_.stop(); }

 private:
  /// RAM behind [address, address + size), as far as it is in one page.
  std::span<u8> find(debug::ThreadId thread, u64 address, std::size_t size, PAddr& physical);

  ArmCpus& cpus_;
  std::optional<debug::gdb::Server> server_;
  std::thread thread_;
};

}  // namespace tiercel::system
