#include "system/cpu/machine_debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "frontend-arm/a64_system_state.h"

namespace tiercel::system {

MachineDebugger::MachineDebugger(ArmCpus& cpus) : Session(cpus.engine(), false), cpus_(cpus) {
  cpus.join(*this);
}

MachineDebugger::~MachineDebugger() {
  if (server_) {
    server_->stop();
    thread_.join();
  }
  cpus_.part();
}

Result<std::string> MachineDebugger::listen(const std::string& where) {
  Result<debug::Listener> listener = debug::Listener::open("--gdb", where);
  if (!listener) return tl::unexpected(listener.error());
  const std::string found = listener->where();
  server_.emplace(std::move(*listener), *this);
  set_server(&*server_);
  world().hold();
  thread_ = std::thread([this] { server_->run(); });
  return fmt::format("waiting for a debugger at {}", found);
}

void MachineDebugger::report_off() {
  world().end(nullptr, {.kind = debug::StopEvent::Kind::Exited});
}

std::string MachineDebugger::thread_name(debug::ThreadId thread) {
  const unsigned cpu = static_cast<unsigned>(thread) - 1;
  if (cpu >= cpus_.cpus()) return {};
  const bool off = cpus_.power(cpu) != PsciHost::Power::On;
  return fmt::format("CPU {}{}", cpu, off ? ", off" : "");
}

/// What EL1 could reach: a debugger looks at kernels while programs run, too.
std::span<u8> MachineDebugger::find(debug::ThreadId thread, u64 address, std::size_t size, PAddr& physical) {
  engine::Vcpu* cpu = vcpu(thread);
  if (!cpu) return {};
  arm::A64SystemState state = *static_cast<const arm::A64SystemState*>(cpu->state());
  state.pstate = (state.pstate | arm::pstate::kEl1) & ~arm::pstate::kPan;
  const guest::Walk walk =
      engine().frontend().mmu()->walk(&state, cpus_.physical(), VAddr{address}, guest::Access::Read, false);
  if (!walk.mapping) return {};
  physical = PAddr{walk.mapping->address.value + address % kPageSize};
  // Devices do things when they are read.
  const guest::PhysicalMemory::Direct direct = cpus_.physical().direct(physical);
  if (!direct.host) return {};
  return {direct.host, std::min<std::size_t>(size, kPageSize - address % kPageSize)};
}

std::size_t MachineDebugger::read_memory(debug::ThreadId thread, u64 address, std::span<u8> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    PAddr physical;
    const std::span<u8> piece = find(thread, address + done, out.size() - done, physical);
    if (piece.empty()) break;
    std::memcpy(out.data() + done, piece.data(), piece.size());
    done += piece.size();
  }
  return done;
}

bool MachineDebugger::write_memory(debug::ThreadId thread, u64 address, std::span<const u8> bytes) {
  while (!bytes.empty()) {
    PAddr physical;
    const std::span<u8> piece = find(thread, address, bytes.size(), physical);
    if (piece.empty() || !cpus_.physical().direct(physical).writable) return false;
    std::memcpy(piece.data(), bytes.data(), piece.size());
    engine().invalidate_physical(physical, piece.size());
    address += piece.size();
    bytes = bytes.subspan(piece.size());
  }
  return true;
}

}  // namespace tiercel::system
