// One pass over the insts, every value in a 128-bit cell. Integer arithmetic common in guest code is done here;
// whatever is rarer or wider is ir::eval's.
#include "backend/interp/interp.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include "base/bits.h"
#include "base/check.h"
#include "ir/eval.h"

namespace tiercel::backend {
namespace {

using ir::Inst;
using ir::MemAttr;
using ir::Opcode;
using ir::Type;

// MXCSR's exception bits, Intel SDM vol. 1 "MXCSR Control and Status Register", against fpstatus.
constexpr u32 kMxFlags = 0x3f;
struct FlagPair {
  u32 mxcsr, status;
};
constexpr FlagPair kFlagPairs[] = {{1, ir::fpstatus::kInvalid},
                                   {4, ir::fpstatus::kDivByZero},
                                   {8, ir::fpstatus::kOverflow},
                                   {16, ir::fpstatus::kUnderflow},
                                   {32, ir::fpstatus::kInexact}};

u32 read_mxcsr() {
  u32 v;
  asm volatile("stmxcsr %0" : "=m"(v));
  return v;
}

u32 get_fp_status(const VmContext& c) {
  const u32 mx = read_mxcsr();
  u32 status = c.fp_extra;
  for (const auto& p : kFlagPairs)
    if (mx & p.mxcsr) status |= p.status;
  return status;
}

void set_fp_status(VmContext& c, u32 status) {
  u32 mx = read_mxcsr() & ~kMxFlags;
  for (const auto& p : kFlagPairs)
    if (status & p.status) mx |= p.mxcsr;
  asm volatile("ldmxcsr %0" : : "m"(mx));
  c.fp_extra = status & ir::fpstatus::kInputDenormal;
}

U128 truncated(U128 v, unsigned bytes) {
  if (bytes < 16) v = {v.lo & low_mask(8 * bytes), 0};
  return v;
}

u64 combine(ir::RmwOp op, u64 old, u64 v, unsigned bits) {
  const s64 so = sign_extend(old, bits), sv = sign_extend(v, bits);
  switch (op) {
    case ir::RmwOp::Add:
      return old + v;
    case ir::RmwOp::Clear:
      return old & ~v;
    case ir::RmwOp::Xor:
      return old ^ v;
    case ir::RmwOp::Set:
      return old | v;
    case ir::RmwOp::SMax:
      return static_cast<u64>(std::max(so, sv));
    case ir::RmwOp::SMin:
      return static_cast<u64>(std::min(so, sv));
    case ir::RmwOp::UMax:
      return std::max(old, v);
    case ir::RmwOp::UMin:
      return std::min(old, v);
    case ir::RmwOp::Swap:
      return v;
  }
  UNREACHABLE();
}

/// The helper of guest::HelperFn seen from a folder that knows no guest: its Env& is a pointer in the C ABI.
#ifdef __clang__
__attribute__((no_sanitize("function")))
#endif
u64 call_helper(const VmContext& c, u64 index, const U128* args) {
  using Fn = u64 (*)(const void*, u64, u64, u64, u64);
  const auto fn = reinterpret_cast<Fn>(const_cast<void*>(c.helpers[index]));
  return fn(c.guest_env, args[0].lo, args[1].lo, args[2].lo, args[3].lo);
}

class Interpreter {
 public:
  Interpreter(const ir::Function& f, std::span<const ir::SlotInfo> slots, VmContext& c, InterpMemory& memory,
              U128* values)
      : f_(f),
        slots_(slots),
        c_(c),
        page_(f.relative ? c.code_page : 0),
        state_(static_cast<std::byte*>(guest_state(&c))),
        memory_(memory),
        values_(values) {
    env_.extra = &c.fp_extra;
  }

  InterpResult run() {
    c_.exit_pc = page_ + f_.pc;
    for (u32 i = 0; i < f_.insts.size(); ++i) {
      const Inst& inst = f_.insts[i];
      if (step(inst, values_[i])) continue;
      if (result_.reason != Reason::Fault && result_.reason != Reason::Misaligned && !ir::is_terminal(inst.op))
        UNREACHABLE();
      return result_;
    }
    UNREACHABLE();  // the verifier wants a terminal
  }

 private:
  U128 arg(const Inst& inst, unsigned k) const {
    const ir::Value v = inst.args[k];
    return v ? values_[v.index] : U128{};
  }
  u64 low(const Inst& inst, unsigned k) const { return values_[inst.args[k].index].lo; }

  /// Integers of I1 to I64; false: not one of the common ones.
  bool integer(const Inst& inst, U128& out) const {
    const u64 mask = low_mask(ir::type_bits(inst.type));
    u64 r;
    switch (inst.op) {
      case Opcode::Const:
        r = inst.imm;
        break;
      case Opcode::Add:
        r = low(inst, 0) + low(inst, 1);
        break;
      case Opcode::Sub:
        r = low(inst, 0) - low(inst, 1);
        break;
      case Opcode::And:
        r = low(inst, 0) & low(inst, 1);
        break;
      case Opcode::Or:
        r = low(inst, 0) | low(inst, 1);
        break;
      case Opcode::Xor:
        r = low(inst, 0) ^ low(inst, 1);
        break;
      case Opcode::ZExt:
      case Opcode::Trunc:
        r = low(inst, 0);
        break;
      case Opcode::CmpEq:
        r = low(inst, 0) == low(inst, 1);
        break;
      case Opcode::CmpNe:
        r = low(inst, 0) != low(inst, 1);
        break;
      case Opcode::CmpLtU:
        r = low(inst, 0) < low(inst, 1);
        break;
      default:
        return false;
    }
    out = {r & mask, 0};
    return true;
  }

  void pure(const Inst& inst, U128& out) {
    if (integer(inst, out)) return;
    U128 args[4];
    for (unsigned k = 0; k < 4; ++k) args[k] = arg(inst, k);
    out = ir::eval(ir::pure_op(f_, inst), args, env_);
  }

  void get(const Inst& inst, U128& out) const {
    U128 v;
    std::memcpy(&v, state_ + slots_[inst.slot()].offset, (ir::type_bits(inst.type) + 7) / 8);
    if (inst.type == Type::I1) v.lo &= 1;
    out = v;
  }
  void set(const Inst& inst) {
    const ir::SlotInfo& slot = slots_[inst.slot()];
    std::memcpy(state_ + slot.offset, &values_[inst.args[0].index], ir::type_bits(slot.type) / 8);
  }

  u64 address(const Inst& inst) const {
    const u64 index = inst.args[1] ? low(inst, 1) << inst.mem().index_shift : 0;
    return low(inst, 0) + index + inst.imm;
  }
  bool fault(u64 address, bool is_write) {
    result_ = {Reason::Fault, address, is_write};
    c_.exit_pc = page_ + insn_pc_;
    return false;
  }
  /// True: the access must not be made. A read-modify-write counts as a read: reading alone would have been refused.
  bool misaligned(u64 address, MemAttr m, bool is_write) {
    if (!m.aligned || is_aligned(address, m.bytes())) return false;
    result_.reason = Reason::Misaligned;
    c_.exit_pc = page_ + insn_pc_;
    c_.exit_arg = address;
    c_.exit_payload = is_write;
    return true;
  }

  bool load(const Inst& inst, U128& out) {
    const MemAttr m = inst.mem();
    const u64 at = address(inst);
    U128 v;
    if (misaligned(at, m, false)) return false;
    if (!memory_.load(at, m, v)) return fault(at, false);
    if (m.sign) v = {static_cast<u64>(sign_extend(v.lo, 8 * m.bytes())) & low_mask(ir::type_bits(inst.type)), 0};
    out = v;
    return true;
  }
  bool store(const Inst& inst) {
    const MemAttr m = inst.mem();
    const u64 at = address(inst);
    if (misaligned(at, m, true)) return false;
    if (!memory_.store(at, m, truncated(values_[inst.args[2].index], m.bytes()))) return fault(at, true);
    // A store-release is ordered before a later load-acquire; the host's plain store is not.
    if (m.release) std::atomic_thread_fence(std::memory_order_seq_cst);
    return true;
  }

  bool rmw(const Inst& inst, U128& out) {
    const MemAttr m = inst.mem();
    const unsigned bits = 8 * m.bytes();
    const u64 at = low(inst, 0), v = low(inst, 1) & low_mask(bits);
    U128 old;
    if (misaligned(at, m, false)) return false;
    if (!memory_.load(at, m, old)) return fault(at, true);
    for (;;) {
      const U128 expected = old;
      const U128 desired{combine(static_cast<ir::RmwOp>(inst.imm), old.lo, v, bits) & low_mask(bits), 0};
      if (!memory_.cas(at, m, old, desired)) return fault(at, true);
      if (old == expected) break;
    }
    out = old;
    return true;
  }
  bool cas(const Inst& inst, unsigned first, U128& old) {
    const MemAttr m = inst.mem();
    const u64 at = low(inst, first);
    old = truncated(arg(inst, first + 1), m.bytes());
    if (misaligned(at, m, first != 0)) return false;  // a CasIf is the store of a pair
    if (!memory_.cas(at, m, old, truncated(arg(inst, first + 2), m.bytes()))) return fault(at, true);
    return true;
  }
  bool cas_if(const Inst& inst, U128& out) {
    out = {};
    if (!(low(inst, 0) & 1)) return true;
    U128 old;
    if (!cas(inst, 1, old)) return false;
    out.lo = old == truncated(arg(inst, 2), inst.mem().bytes());
    return true;
  }

  static void fence(const Inst& inst) {
    if (static_cast<ir::FenceKind>(inst.imm) == ir::FenceKind::Full)
      std::atomic_thread_fence(std::memory_order_seq_cst);
    else
      std::atomic_thread_fence(std::memory_order_acq_rel);
  }

  bool go(u64 pc) {
    c_.exit_pc = pc;
    return false;
  }
  bool exit(const Inst& inst) {
    c_.exit_pc = page_ + f_.constant(inst.aux >> 8).lo;
    c_.exit_arg = arg(inst, 0).lo;
    c_.exit_payload = inst.imm;
    result_.reason = reason_for(inst.exit_kind());
    return false;
  }

  /// False: control leaves the function.
  bool step(const Inst& inst, U128& out) {
    switch (inst.op) {
      case Opcode::Nop:
        return true;
      case Opcode::Insn:
        insn_pc_ = inst.imm;
        return true;
      case Opcode::CodeAddress:
        out = {page_ + inst.imm, 0};
        return true;
      case Opcode::Get:
        get(inst, out);
        return true;
      case Opcode::Set:
        set(inst);
        return true;
      case Opcode::Load:
        return load(inst, out);
      case Opcode::Store:
        return store(inst);
      case Opcode::AtomicRmw:
        return rmw(inst, out);
      case Opcode::AtomicCas:
        return cas(inst, 0, out);
      case Opcode::CasIf:
        return cas_if(inst, out);
      case Opcode::Prefetch:
        return true;
      case Opcode::Fence:
        fence(inst);
        return true;
      case Opcode::Jump:
      case Opcode::Call:
        return go(page_ + inst.imm);
      case Opcode::Branch:
        return go(page_ + (low(inst, 0) & 1 ? inst.imm : f_.constant(inst.aux).lo));
      case Opcode::JumpInd:
      case Opcode::CallInd:
      case Opcode::Ret:
        return go(low(inst, 0));
      case Opcode::Exit:
        return exit(inst);
      case Opcode::CallHelper: {
        const U128 args[4] = {arg(inst, 0), arg(inst, 1), arg(inst, 2), arg(inst, 3)};
        out = {call_helper(c_, inst.imm, args), 0};
        return true;
      }
      case Opcode::GetFpStatus:
        out = {get_fp_status(c_), 0};
        return true;
      case Opcode::SetFpStatus:
        set_fp_status(c_, static_cast<u32>(low(inst, 0)));
        return true;
      default:
        pure(inst, out);
        return true;
    }
  }

  const ir::Function& f_;
  const std::span<const ir::SlotInfo> slots_;
  VmContext& c_;
  const u64 page_;  // that pcs are counted from
  std::byte* const state_;
  InterpMemory& memory_;
  U128* const values_;  // one per inst
  ir::FpEnv env_;
  u64 insn_pc_ = 0;
  InterpResult result_;
};

}  // namespace

InterpResult interpret(const ir::Function& f, std::span<const ir::SlotInfo> slots, VmContext& context,
                       InterpMemory& memory) {
  // Cells are written before they are read (the verifier checks), so they need no initial value.
  constexpr std::size_t kSmall = 1024;
  alignas(U128) std::byte small[kSmall * sizeof(U128)];
  std::unique_ptr<std::byte[]> large;
  if (f.insts.size() > kSmall) large.reset(new std::byte[f.insts.size() * sizeof(U128)]);
  auto* values = reinterpret_cast<U128*>(large ? large.get() : small);
  if (f.counter != 0) ++context.counters[f.counter];
  return Interpreter(f, slots, context, memory, values).run();
}

}  // namespace tiercel::backend
