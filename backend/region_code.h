// What the optimising tier returns for one ir::Region, and the compiler's interface.
//
// The code is one host function of LLVM's preserve_none convention, entered by a jump with rsp at 8 modulo 16; it may
// change every register but rsp. The hottest integer slots are its arguments (kRegionSlots); every other slot it finds
// in the state block. MXCSR holds the guest's floating-point environment and stays the guest's all the time.
//
// It leaves by a jump, with rsp as it was (RegionCode::jumps), to exits of kind Direct, Back and Indirect: with the
// same slots in the same registers, and with an indirect exit's pc in rax. All other slots are in the state block. The
// guest's pc is stored nowhere: exits name it.
//
// Or it stops, at a HLT that says where the guest's values are (ValuePlace). The host fault handler moves them to the
// state block and goes on at an exit of kind Interrupt or Fault (Backend::leave_region).
//
// Faults are such side exits. Each host instruction that accesses guest memory has a landing: when it faults, the
// handler continues there with all registers as they were. The landing stops, with the state as of the last IR inst
// before the access and the exit whose pc is the faulting insn's, so that the fast tier executes that insn again,
// faults in turn and reports it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "ir/region.h"

namespace tiercel::backend {

/// Arguments of a region's function, with the registers they are in:
///   0 r12, 1 r13, 2 r14, 3 r15, 4 rdi, 5 rsi, 6 rdx, 7 rcx, 8 r8, 9 r9, 10 r11, 11 rax
inline constexpr u32 kRegionArguments = 12;
inline constexpr u32 kRegionContext = 3;  // the VmContext's address plus kContextBias
inline constexpr u32 kRegionExtra = 11;   // on the way out an index or a pc, see above; nothing on the way in
/// Which argument the n-th hottest integer slot is (hottest_slots). All but the first and the sixth are in the fast
/// tier's own place for them.
inline constexpr std::array<u8, 10> kRegionSlots = {6, 5, 4, 8, 9, 7, 10, 0, 1, 2};

/// VmContext::stubs has it for regions of a machine, to be called with any rsp. In: the guest address in rax, the
/// access in ecx as for VmContext::tlb_fill, kRegionContext in its register. Out: the host address in rax, or 0: to
/// leave by an exit of kind Fault; in rcx half the page's address, or ~0 if accesses that follow must ask again. All
/// other registers stay, but not EFLAGS.
inline constexpr u32 kRegionProbeStub = 9;

struct RegionExit {
  enum class Kind : u8 {
    Direct,     // continue at `pc`
    Back,       // the same along an edge that goes back, which tests VmContext::exit_request and counts
    Interrupt,  // a stop: an edge saw VmContext::exit_request; continue at `pc`
    Indirect,   // continue at the pc in rax; `pc` is that of the block that ends so
    Fault,      // a stop: execute the insn at `pc` again, outside regions
  };
  Kind kind = Kind::Direct;
  u64 pc = 0;
  friend bool operator==(const RegionExit&, const RegionExit&) = default;
};

/// Where a region's guest code lies.
struct RegionPlace {
  u64 pc = 0;  // of its head
  bool relative = false;
  u64 origin = 0;  // as in the head's ir::Function
  /// In a machine, the pages besides the head's: the region does nothing and leaves with Reason::RegionMoved unless
  /// VmContext::tlb_code has all of them. Of a relative region counted as its pcs are.
  std::vector<TlbCodePage> others{};
};

/// Where a guest value is at a stop.
struct ValuePlace {
  /// `what`: a slot, or one of these. Flags are kept as operands of what computes them (RegionFault::flags).
  static constexpr u8 kFlagsRaw = 0xf8;      // the stored form
  static constexpr u8 kFlagsIsRaw = 0xf9;    // is it the stored form that counts?
  static constexpr u8 kFlagsOperand = 0xfa;  // and the two behind it
  static constexpr u8 kIfWritten32 = 0xfd;   // is the next one of a vector slot that the region has set? It is a float
  static constexpr u8 kIfWritten64 = 0xfe;   // of so many bits, zero above
  /// `where`: host registers by their numbers, vector registers from kVector on, or one of these.
  static constexpr u8 kVector = 16, kStack = 48, kConstant = 49;
  u8 what = 0;
  u8 where = 0;
  s16 at = 0;  // kStack: bytes above rsp; kConstant: index into RegionCode::constants
  friend bool operator==(const ValuePlace&, const ValuePlace&) = default;
};

/// A host instruction that faults, and how control goes on then: an access, which has a landing, or a stop. Offsets are
/// counted from the start of RegionCode::code.
struct RegionFault {
  static constexpr u32 kNoLanding = ~u32{0};
  static constexpr u8 kHlt = 0xf4;  // the host instruction of a stop
  u32 host_offset = 0;
  u32 landing_offset = kNoLanding;
  // A stop:
  u32 exit = 0;
  u32 first = 0;  // of `count` RegionCode::places
  u16 count = 0;
  u16 flags = 0;  // which of RegionCode::flags the flags operands are of
  friend bool operator==(const RegionFault&, const RegionFault&) = default;
};

/// The opcode that turns its operands into flags: one of the lazy ones (is_lazy_flags).
struct RegionFlags {
  ir::Opcode op = ir::Opcode::Nop;
  ir::Type type = ir::Type::None;
  u8 imm = 0;  // FlagsFcmp: kFlushes if subnormals count as zeros
  static constexpr u8 kFlushes = 2;
  friend bool operator==(const RegionFlags&, const RegionFlags&) = default;
};
constexpr bool is_lazy_flags(ir::Opcode op) {
  using enum ir::Opcode;
  return op == FlagsFcmp || op == FlagsAdd || op == FlagsSub || op == FlagsAdc || op == FlagsSbc || op == FlagsLogic ||
         op == FlagsCcmpSub || op == FlagsCcmpAdd;
}

/// A jump out of the region: `offset` of its 32-bit displacement, which is counted from the byte behind it and is to be
/// filled in.
struct RegionJump {
  u32 offset = 0;
  u32 exit = 0;
  friend bool operator==(const RegionJump&, const RegionJump&) = default;
};

struct RegionCode {
  std::vector<u8> code;  // position-independent: instructions and their constants; needs an alignment of 64
  u32 entry = 0;
  std::vector<RegionExit> exits;    // at most kMaxRegionExits
  std::vector<RegionFault> faults;  // sorted by host_offset
  std::vector<ValuePlace> places;
  std::vector<u64> constants;
  std::vector<RegionFlags> flags;
  u32 frame = 0;  // bytes of stack at each stop
  std::vector<RegionJump> jumps;
  u32 vectors_read = ~u32{0}, vectors_written = ~u32{0};  // bit n: the n-th hottest vector slot
  u32 xmm_changed = ~u32{0};                              // bit n: the code may change xmmN
  std::string listing;                                    // LLVM IR and host code, only when asked for
};
inline constexpr u32 kMaxRegionExits = 1 << 16;

/// What is asked for besides the region.
struct RegionRequest {
  bool want_listing = false;
};

class RegionCompiler {
 public:
  virtual ~RegionCompiler() = default;
  /// Compiles `region` into `out` (replaced). False: refused, for the reason in `why`, a sentence. Not thread-safe.
  virtual bool compile(const ir::Region& region, const RegionRequest& request, RegionCode& out, std::string& why) = 0;
};

}  // namespace tiercel::backend
