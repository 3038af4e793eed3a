#include "backend/x64/region_stop.h"

#include <algorithm>
#include <cstring>

#include "backend/region_code.h"
#include "backend/vm_context.h"
#include "base/mxcsr.h"

namespace tiercel::backend::x64 {
namespace {

constexpr unsigned kRax = 0, kRsp = 4, kR15 = 15;

using Entry = RegionFaultTable::Entry;

const Entry* find(const RegionFaultTable& table, u64 host_pc) {
  const auto access = static_cast<s64>(host_pc - reinterpret_cast<u64>(&table));
  const Entry* end = table.entries + table.count;
  const Entry* entry =
      std::lower_bound(table.entries, end, access, [](const Entry& e, s64 at) { return e.access < at; });
  return entry != end && entry->access == access ? entry : nullptr;
}

/// Copies the places of one stop to the state block.
class Stop {
 public:
  Stop(const RegionFaultTable& table, const VmLayout& layout, VmContext& context, HostFrame& frame)
      : table_(table),
        layout_(layout),
        context_(context),
        frame_(frame),
        state_(reinterpret_cast<u8*>(&context) + kStateOffset) {}

  void run(const Entry& entry) {
    const ValuePlace* place = array<ValuePlace>(table_.places) + entry.first;
    for (const ValuePlace* end = place + entry.count; place != end; ++place) take(*place);
    if (has_flags_) store_flags(array<RegionFlags>(table_.flags)[entry.flags]);
  }

 private:
  template <typename T>
  const T* array(s32 offset) const {
    return reinterpret_cast<const T*>(reinterpret_cast<const u8*>(&table_) + offset);
  }

  U128 value(const ValuePlace& p) const {
    if (p.where < ValuePlace::kVector) return {frame_.general(p.where), 0};
    if (p.where < ValuePlace::kStack) return frame_.vector(p.where - ValuePlace::kVector);
    if (p.where == ValuePlace::kConstant) return {array<u64>(table_.constants)[p.at], 0};
    U128 v{};
    std::memcpy(&v, reinterpret_cast<const u8*>(frame_.general(kRsp)) + p.at, sizeof v);
    return v;
  }

  static U128 low_bits(U128 v, unsigned bits) {
    if (bits == 128) return v;
    return {bits == 64 ? v.lo : v.lo & ((u64{1} << bits) - 1), 0};
  }

  void take(const ValuePlace& p) {
    const U128 v = value(p);
    switch (p.what) {
      case ValuePlace::kIfWritten32:
      case ValuePlace::kIfWritten64:
        float_bits_ = p.what == ValuePlace::kIfWritten32 ? 32 : 64;
        skip_ = (v.lo & 1) == 0;
        return;
      case ValuePlace::kFlagsRaw:
        raw_ = static_cast<u16>(v.lo), has_flags_ = true;
        return;
      case ValuePlace::kFlagsIsRaw:
        is_raw_ = (v.lo & 1) != 0;
        return;
      default:
        break;
    }
    if (p.what >= ValuePlace::kFlagsOperand && p.what < ValuePlace::kFlagsOperand + 3) {
      operands_[p.what - ValuePlace::kFlagsOperand] = v;
      has_flags_ = true;
      return;
    }
    if (p.what < layout_.slots.size() && !skip_) store(layout_.slots[p.what], v);
    float_bits_ = 0, skip_ = false;
  }

  void store(const ir::SlotInfo& slot, U128 v) {
    const unsigned bits = ir::type_bits(slot.type);
    const U128 stored = low_bits(v, float_bits_ != 0 ? float_bits_ : bits);
    std::memcpy(state_ + slot.offset, &stored, bits / 8);
  }

  void store_flags(const RegionFlags& kind) {
    const auto slot = std::find_if(layout_.slots.begin(), layout_.slots.end(),
                                   [](const ir::SlotInfo& s) { return s.type == ir::Type::Flags; });
    if (slot == layout_.slots.end()) return;
    const bool raw = kind.op == ir::Opcode::Nop || is_raw_;
    store(*slot, raw ? U128{raw_, 0} : computed(kind));
  }

  /// As the guest's own compare would, with the exceptions a float one raises.
  U128 computed(const RegionFlags& kind) {
    const std::string_view letters = ir::info(kind.op).operands;
    for (std::size_t k = 0; k < letters.size() && k < 3; ++k)
      operands_[k] = low_bits(operands_[k], letters[k] == 'b' ? 1 : ir::type_bits(kind.type));
    ir::PureOp op;
    op.op = kind.op, op.type = ir::Type::Flags, op.arg_type = kind.type, op.imm = kind.imm;
    const bool flushes = kind.op == ir::Opcode::FlagsFcmp && (kind.imm & RegionFlags::kFlushes);
    op.fp = ir::FpRules{.flush = flushes}.pack();
    u32 seen = frame_.mxcsr();
    ir::FpEnv env{&context_.fp_extra};
    U128 flags;
    {
      const mxcsr::Lent lent(seen);
      flags = ir::eval(op, operands_, env);
    }
    frame_.set_mxcsr(seen);
    return flags;
  }

  const RegionFaultTable& table_;
  const VmLayout& layout_;
  VmContext& context_;
  HostFrame& frame_;
  u8* state_;
  unsigned float_bits_ = 0;  // of the next slot, or 0
  bool skip_ = false;        // the state block has the next slot
  bool has_flags_ = false, is_raw_ = false;
  u16 raw_ = 0;
  U128 operands_[3] = {};
};

}  // namespace

bool leave_region(HostFrame frame, const VmLayout& layout, VmContext& context) {
  const RegionFaultTable* table = context.region_faults;
  const Entry* entry = table != nullptr ? find(*table, frame.pc()) : nullptr;
  if (entry == nullptr) return false;
  const u64 base = reinterpret_cast<u64>(table);
  if (entry->landing != 0) {
    frame.set_pc(base + static_cast<u64>(s64{entry->landing}));
    // Mostly a landing is a stop and nothing else.
    entry = find(*table, frame.pc());
    if (entry == nullptr) return true;
  }
  Stop(*table, layout, context, frame).run(*entry);
  frame.set_general(kRax, entry->exit);
  frame.set_general(kR15, reinterpret_cast<u64>(&context) + kContextBias);
  frame.set_general(kRsp, frame.general(kRsp) + table->frame);
  frame.set_pc(base + static_cast<u64>(s64{table->shared}));
  return true;
}

}  // namespace tiercel::backend::x64
