// The least that runs one Function: a VmContext with its state block and a little guest memory.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/interp/interp.h"
#include "guest/frontend.h"

namespace tiercel::test {

/// What one run left behind, in the terms all tiers share.
struct Outcome {
  backend::Reason reason = backend::Reason::None;  // None: continue at pc, however the tier got there
  u64 pc = 0;
  u64 fault_address = 0;               // of Reason::Fault
  u64 exit_arg = 0, exit_payload = 0;  // of an Exit terminal
};

class Machine {
 public:
  /// Guest addresses [kMemoryStart, kMemoryStart + kMemorySize) exist, filled with zero.
  static constexpr u64 kMemoryStart = 0x10000, kMemorySize = 0x10000;

  explicit Machine(guest::Frontend& frontend);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// Everything zero again, rounding to nearest, no FP exception.
  void reset();

  const guest::Layout& layout() const { return layout_; }
  backend::VmContext& context() { return *context_; }
  std::span<u8> state() { return {static_cast<u8*>(backend::guest_state(context_)), layout_.state_size}; }
  U128 slot(ir::SlotId s) const;
  void set_slot(ir::SlotId s, const U128& v);
  std::span<u8> memory() { return memory_; }

  /// MXCSR's rounding field from an ir::Round (TieEven, PosInf, NegInf or Zero).
  void set_rounding(ir::Round r);
  /// Cumulative exceptions, as GetFpStatus gives them.
  u32 fp_status() const;
  void set_fp_status(u32 status);

  Outcome interpret(const ir::Function& f);

 private:
  const guest::Layout& layout_;
  guest::Env env_{};
  ir::FpEnv fp_env_;
  std::vector<const void*> helpers_;
  std::vector<u8> memory_;
  backend::JumpCache jump_cache_;
  backend::VmContext* context_ = nullptr;
};

}  // namespace tiercel::test
