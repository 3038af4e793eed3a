// A guest of two threads with four registers and a page of memory, for the stub.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "debug/gdb/target.h"

namespace tiercel::debug::gdb {

class FakeTarget : public Target {
 public:
  static constexpr u64 kMemory = 0x1000;
  std::vector<u8> memory = std::vector<u8>(256);
  u64 values[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  std::vector<std::string> log;
  std::vector<Action> actions;
  u64 passed = 0;

  std::string_view description() const override { return "<target/>"; }
  u32 registers() const override { return 4; }
  std::span<const u32> expedited_registers() const override {
    static constexpr u32 kNumbers[] = {3};
    return kNumbers;
  }
  std::size_t read_register(ThreadId thread, u32 number, std::span<u8> out) override {
    if (thread < 1 || thread > 2 || number > 3) return 0;
    std::memcpy(out.data(), &values[thread - 1][number], 8);
    return 8;
  }
  bool write_register(ThreadId thread, u32 number, std::span<const u8> value) override {
    if (thread < 1 || thread > 2 || number > 2 || value.size() != 8) return false;
    std::memcpy(&values[thread - 1][number], value.data(), 8);
    return true;
  }
  std::vector<ThreadId> threads() override { return {1, 2}; }
  std::string thread_name(ThreadId thread) override { return thread == 1 ? "a<b" : "c"; }
  std::size_t read_memory(ThreadId, u64 address, std::span<u8> out) override {
    const std::size_t size = inside(address, out.size());
    if (size != 0) std::memcpy(out.data(), &memory[address - kMemory], size);
    return size;
  }
  bool write_memory(ThreadId, u64 address, std::span<const u8> bytes) override {
    if (inside(address, bytes.size()) != bytes.size()) return false;
    std::memcpy(&memory[address - kMemory], bytes.data(), bytes.size());
    return true;
  }
  bool set_breakpoint(u64 address, bool on) override {
    note(on ? "break" : "no break", address);
    return address != 0xbad;
  }
  bool set_watch(WatchKind kind, u64 address, u64 size, bool on) override {
    note(std::string(on ? "watch" : "no watch") + (kind.reads ? " r" : "") + (kind.writes ? " w" : ""), address + size);
    return true;
  }
  void attach() override { log.emplace_back("attach"); }
  void interrupt() override { log.emplace_back("interrupt"); }
  std::optional<StopEvent> take_event() override { return {}; }
  void end_is_known() override {}
  void resume(std::span<const Action> list) override { actions.assign(list.begin(), list.end()); }
  void pass_signals(u64 set) override { passed = set; }
  void detach() override { log.emplace_back("detach"); }
  void kill() override { log.emplace_back("kill"); }
  std::optional<std::string> executable() override { return "/bin/guest"; }
  std::optional<std::string> host_path(const std::string& path) override {
    if (path.starts_with("/guest/")) return path.substr(6);
    return {};
  }

 private:
  std::size_t inside(u64 address, std::size_t size) const {
    const u64 offset = address - kMemory;
    return offset >= memory.size() ? 0 : std::min<std::size_t>(size, memory.size() - offset);
  }
  void note(const std::string& what, u64 number) { log.push_back(what + " " + std::to_string(number)); }
};

}  // namespace tiercel::debug::gdb
