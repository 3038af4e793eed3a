// The contract of a guest CPU. Frontends implement it; the engine sees nothing else of them.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "guest/debug_registers.h"
#include "guest/helper.h"
#include "guest/layout.h"
#include "guest/machine.h"
#include "ir/function.h"

namespace tiercel::guest {

/// Everything decoding depended on. Equal keys mean identical code.
struct BlockKey {
  u64 pc = 0;     // the address; kRelative: counted from the page
  u32 mode = 0;   // the frontend's mode bits: FP rules, privilege, instruction set, ...
  u32 space = 0;  // 0 in user mode; in a machine kPhysical and the number of the physical page that holds the code
  static constexpr u32 kPhysical = u32{1} << 31;
  /// The code serves all addresses that its page is mapped at: ir::Function::relative.
  static constexpr u32 kRelative = u32{1} << 30;
  static constexpr u32 kPageNumber = kRelative - 1;
  bool relative() const { return space & kRelative; }
  /// Where the code lies: its physical address in a machine, else its address.
  u64 location() const { return space == 0 ? pc : u64{space & kPageNumber} * kPageSize + pc % kPageSize; }
  /// ir::Function::origin.
  u64 origin() const { return relative() ? location() - pc : 0; }
  friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

struct BlockKeyHash {
  std::size_t operator()(const BlockKey& k) const {
    u64 h = (k.pc ^ (u64{k.mode} << 48) ^ (u64{k.space} << 32)) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
  }
};

/// Gives the translator guest code bytes.
class CodeReader {
 public:
  virtual ~CodeReader() = default;
  /// The executable bytes from `pc` to the end of its page (at least one byte), or empty if `pc` is not executable.
  /// Marks the page as holding translated code. The bytes may change under the reader's feet: read each one once.
  virtual std::span<const u8> window(VAddr pc) = 0;
};

struct TranslateLimits {
  u32 max_insns = 64;
};

/// How the host FP control should mirror the guest's before translated code runs.
struct FpControl {
  ir::Round rounding = ir::Round::TieEven;  // TieEven, PosInf, NegInf or Zero
  bool host_flush = false;                  // code is under ir::FpRules::host_flush
};

class Frontend {
 public:
  virtual ~Frontend() = default;

  virtual const Layout& layout() const = 0;
  virtual std::span<const HelperDecl> helpers() const = 0;

  /// The key of the block that `state` would execute next.
  virtual BlockKey key(const void* state) const = 0;
  virtual FpControl fp_control(const void* state) const = 0;

  /// Whether code of this mode depends on its address in no other way than ir::Function::relative can express.
  virtual bool may_be_relative(u32 mode) const {
    static_cast<void>(mode);
    return false;
  }

  /// Translates the block at `key` into `out` (cleared first). At least one insn unless the first is not executable:
  /// then returns false, `out` is nothing to run, and the fault address is key.pc. Never throws; undecodable insns
  /// become Exit terminals.
  virtual bool translate(const BlockKey& key, CodeReader& code, const TranslateLimits& limits, ir::Function& out) = 0;

  /// Puts a freshly allocated state block into its reset state.
  virtual void reset(void* state) const = 0;

  /// One line of disassembly, from the table's own mnemonic and fields; also gives the insn's length in bytes.
  struct Disassembly {
    std::string text;
    u32 length;
    bool known = true;  // false: no insn of this guest CPU; `text` is its bytes
  };
  virtual Disassembly disassemble(u64 pc, std::span<const u8> bytes, u32 mode) const = 0;

  /// The address that a data access to `va` really uses (Arm: top byte ignored).
  virtual u64 data_address(u64 va) const { return va; }

  /// Null: debuggers cannot look at it.
  virtual const DebugRegisters* debug_registers() const { return nullptr; }

  /// Not null: guest addresses are translated, and this is how (a machine).
  virtual const Mmu* mmu() const { return nullptr; }

  /// The name of ISA row `index` (the payload of ExitKind::Unimplemented).
  virtual std::string row_name(u64 index) const = 0;
};

}  // namespace tiercel::guest
