// What the runners of the differential test start from and are compared by.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/types.h"

namespace tiercel::test {

/// The guest's registers in the manual's form.
struct CpuState {
  u64 x[31] = {};
  u64 sp = 0;
  u64 pc = 0;
  u32 nzcv = 0;  // in bits 31..28
  u32 fpcr = 0;
  u32 fpsr = 0;
  u64 tpidr = 0;
  U128 v[32];
};

inline constexpr u32 kFpsrBits = 0x0800'009f, kFpcrBits = 0x07c0'0000;

// Guest addresses, which are host addresses too.
inline constexpr u64 kCodeBase = 0x1000'0000, kCodeBytes = 16 << 20;
inline constexpr u64 kDataBase = 0x3000'0000, kDataBytes = 4096;
inline constexpr u64 kSlotBytes = 64;  // of code per sequence
inline constexpr u64 kLoopSlotBytes = 2048;

using Data = std::array<u8, kDataBytes>;

enum class End : u8 {
  Done,           // reached the end of the sequence
  Fault,          // a data access was refused
  Unimplemented,  // a gap of ours
  Undefined,
  Failed,  // anything else; see Outcome::note
};
const char* name(End e);

struct Outcome {
  End end = End::Done;
  u64 fault_address = 0;
  std::string note;
  bool tagged = false;  // an address had bits above the 56 that count; only the interpreter says so
  struct Fault {
    u64 pc, address;
    friend bool operator==(const Fault&, const Fault&) = default;
  };
  std::vector<Fault> faults{};  // behind which it went on
};

/// Executes sequences on `data` at kDataBase and code at kCodeBase.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const char* name() const = 0;
  /// Runs from state.pc until `end`; `state` and `data` are updated.
  virtual Outcome run(CpuState& state, Data& data, u64 end) = 0;
  /// Code in [kCodeBase, kCodeBase + kCodeBytes) was rewritten.
  virtual void forget_code() = 0;
  /// Of what is random in the tier, from the next forget_code() on.
  virtual void set_seed(u32) {}
  /// How many regions were compiled.
  virtual u64 regions() const { return 0; }
  /// How often it was asked to stop and then went on.
  virtual u64 interrupts() const { return 0; }
};

/// One line for every difference, with both values; empty if the states agree.
std::vector<std::string> differences(const CpuState& a, const Data& a_data, const CpuState& b, const Data& b_data);

}  // namespace tiercel::test
