// Runs one Function in the interpreter and in the fast tier from the same state and compares what they leave.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/interp/interp.h"
#include "ir/function.h"

namespace tiercel::backend::test {

/// A layout with pinned and unpinned slots of every type: 16 integers, flags, 16 vectors, a few cold ones.
std::span<const ir::SlotInfo> slots();
inline constexpr u32 kStateSize = 1024;
inline constexpr u16 kFirstInt = 0, kIntCount = 16, kFlags = 16, kFirstVec = 17, kVecCount = 32, kCold32 = 49;
inline constexpr u16 kSlotCount = 50;

struct State {
  alignas(64) u8 bytes[kStateSize] = {};
};

class Machine {
 public:
  explicit Machine(const HostFeatures& features = HostFeatures::detect(), u32 chaos_seed = 0);
  ~Machine();

  /// Empty if both tiers agree on `f` from `start`; otherwise what differs, with the IR and the listing, or kFaults.
  std::string compare(const ir::Function& f, const State& start, u32 mxcsr = 0x1f80);
  /// Runs in the fast tier only.
  void run(const ir::Function& f, State& state, u32& mxcsr);

  VmContext& context() { return *context_; }
  const CompiledCode& code() const { return code_; }
  /// Guest memory the functions may use, at kMemory.
  static constexpr u64 kMemory = 0x2000'0000'0000, kMemorySize = 4096;
  /// compare()'s answer to a function that accesses other memory.
  static constexpr const char* kFaults = "it faults";
  /// How many operands the guest helpers there are look at; one reads and writes slots.
  static constexpr u8 kHelperOperands[] = {4, 1};

 private:
  /// What a tier leaves.
  struct Left {
    State state;
    Reason reason = Reason::None;
    u64 pc = 0, arg = 0, payload = 0;
    u32 mxcsr = 0, fp_extra = 0;
    std::array<u8, kMemorySize> memory;
  };
  Left interpret_from(const ir::Function& f, const State& start, u32 mxcsr, InterpMemory& memory);
  void take_exit(Left& left) const;
  std::string describe_exits(const Left& interp, const Left& fast) const;
  static std::string describe_status(const Left& interp, const Left& fast, const std::function<bool()>& excused);
  void install(const std::vector<u8>& code, std::size_t offset);

  std::unique_ptr<Backend> backend_;
  Runtime runtime_;
  CompiledCode code_;
  u8* memory_ = nullptr;
  VmContext* context_ = nullptr;
  ir::FpEnv fp_env_;
  JumpCache jump_cache_;
  u8* helper_state_ = nullptr;
};

std::string describe_difference(const State& a, const State& b);

}  // namespace tiercel::backend::test
