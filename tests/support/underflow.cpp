#include "tests/support/underflow.h"

namespace tiercel::test {
namespace {

using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Guest addresses nobody has.
constexpr u64 kStatusAt = 0x7fff'0000'0000'0000, kResultAt = kStatusAt + 16;

/// Catches what a probe stores at these addresses.
class ProbeMemory final : public backend::InterpMemory {
 public:
  explicit ProbeMemory(backend::InterpMemory& inner) : inner_(inner) {}
  bool load(u64 address, ir::MemAttr m, U128& out) override { return inner_.load(address, m, out); }
  bool store(u64 address, ir::MemAttr m, const U128& value) override {
    if (address != kStatusAt && address != kResultAt) return inner_.store(address, m, value);
    (address == kStatusAt ? status : result) = value;
    return true;
  }
  bool cas(u64 address, ir::MemAttr m, U128& expected, const U128& desired) override {
    return inner_.cas(address, m, expected, desired);
  }
  U128 status, result;

 private:
  backend::InterpMemory& inner_;
};

class Probe {
 public:
  /// `f` up to inst `k`, which begins with no exceptions; they and its result are stored.
  Probe(const ir::Function& f, u32 k) {
    f_ = f;
    f_.insts.resize(k);
    f_.insts.push_back(Inst{.op = Opcode::SetFpStatus, .args = {add(Inst{.op = Opcode::Const, .type = Type::I32})}});
    const Value result = add(f.insts[k]);
    store(add(Inst{.op = Opcode::GetFpStatus, .type = Type::I32}), kStatusAt);
    store(result, kResultAt);
    add(Inst{.op = Opcode::Jump});
  }
  const ir::Function& function() const { return f_; }

 private:
  Value add(const Inst& inst) {
    f_.insts.push_back(inst);
    return Value{static_cast<u32>(f_.insts.size() - 1)};
  }
  void store(Value v, u64 address) {
    const Type type = f_[v].type;
    ir::MemAttr m;
    while (m.size_log2 < 4 && 8 * m.bytes() < ir::type_bits(type)) ++m.size_log2;
    while (m.size_log2 > 0 && 8 * m.bytes() > ir::type_bits(type)) --m.size_log2;
    const Value at = add(Inst{.op = Opcode::Const, .type = Type::I64, .imm = address});
    add(Inst{.op = Opcode::Store, .type = type, .aux = m.pack(), .args = {at, ir::kNoValue, v}});
  }
  ir::Function f_;
};

}  // namespace

bool has_least_normal(const U128& v) {
  for (const u64 word : {v.lo, v.hi}) {
    if ((word & ~(u64{1} << 63)) == 0x0010'0000'0000'0000) return true;
    for (unsigned at = 0; at < 64; at += 32)
      if ((word >> at & 0x7fff'ffff) == 0x0080'0000) return true;
    for (unsigned at = 0; at < 64; at += 16)
      if ((word >> at & 0x7fff) == 0x0400) return true;
  }
  return false;
}

bool underflows_are_least_normals(const ir::Function& f, backend::InterpMemory& memory, const InterpretFromStart& run) {
  for (u32 k = 0; k < f.insts.size(); ++k) {
    const Inst& inst = f.insts[k];
    if (ir::effects(inst.op) != ir::effect::kReadsFp || inst.type == Type::Flags) continue;
    ProbeMemory probe(memory);
    run(Probe(f, k).function(), probe);
    if ((probe.status.lo & ir::fpstatus::kUnderflow) && !has_least_normal(probe.result)) return false;
  }
  return true;
}

}  // namespace tiercel::test
