// Random regions of several blocks: integers, flags across blocks, memory that faults now and then, atomics, loops,
// indirect branches. TIERCEL_REGIONS=n makes n of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "ir/builder.h"
#include "ir/verifier.h"
#include "tests/llvm/harness.h"
#include "tests/support/fp_trap.h"

namespace tiercel::test {
namespace {

using ir::Opcode;
using ir::Type;
using ir::Value;

class Generator {
 public:
  Generator(u64 seed, u64 memory) : random_(seed), memory_(memory), builder_(a64_slots()) {}

  ir::Region make() {
    region_ = {};
    count_ = 1 + pick(6);
    if (pick(3) == 0) fp_ = ir::FpRules::unpack(static_cast<u8>(pick(4) << 1));
    fp_.host_flush = fp_.flush && pick(3) != 0;
    relative_ = pick(2);
    first_ = relative_ && pick(2) ? u64{0} - 0x200 : 0x4000;
    for (unsigned from = 0; from < count_; ++from)
      for (unsigned to = 0; to < count_; ++to)
        if (pick(2)) region_.edges.push_back({from, 1 + pick(100), pc(to)});
    for (unsigned i = 0; i < count_; ++i) make_block(i);
    return region_;
  }

  void fill(RegionVm& vm, u8* memory) {
    arm::A64State& s = vm.state();
    for (u64& x : s.x) x = interesting();
    s.x[kCounter] = pick(20);
    for (U128& v : s.v) v = {interesting(), interesting()};
    s.flags = static_cast<u32>(random_() & 0xff01);
    vm.context().mxcsr = start_mxcsr(fp_, 0x1f80 | pick(4) << 13);
    vm.context().fp_extra = 0;
    vm.context().exit_request = pick(8) == 0;
    for (u64 i = 0; i < RegionTester::kMemorySize; ++i) memory[i] = static_cast<u8>(random_());
  }

  u32 pick(u32 n) { return static_cast<u32>(random_() % n); }

 private:
  static constexpr u16 kCounter = 28, kIntSlots = 12;

  u64 pc(unsigned block) const { return first_ + 0x100 * block; }

  u64 interesting() {
    constexpr u64 kValues[] = {0, 1, 2, 0x7f, 0xff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff, ~u64{0} >> 1, ~u64{0}};
    return pick(2) ? kValues[pick(std::size(kValues))] : random_() >> pick(64);
  }

  void make_block(unsigned index) {
    region_.blocks.emplace_back();
    builder_.begin(region_.blocks.back(), pc(index), fp_, relative_);
    values_.clear();
    const unsigned insns = 1 + pick(6);
    for (unsigned i = 0; i < insns; ++i) {
      builder_.insn(pc(index) + 4 * i);
      for (unsigned n = 1 + pick(3); n > 0; --n) step();
    }
    builder_.insn(pc(index) + 4 * insns);
    const Value left = builder_.sub(builder_.get(Type::I64, kCounter), builder_.i64(1));
    builder_.set(kCounter, left);
    terminal(index, builder_.cmp(Opcode::CmpLtS, builder_.i64(0), left));
    region_.blocks.back().end_pc = pc(index) + 4 * insns + 4;
  }

  /// A block, or no block of the region. Ways back are only taken while the counter is above zero.
  u64 forward(unsigned index) {
    const unsigned to = index + 1 + pick(count_ - index + 1);
    return to < count_ ? pc(to) : pc(100 + pick(3));
  }
  void terminal(unsigned index, Value more) {
    const u64 back = pc(pick(index + 1)), on = forward(index);
    switch (pick(6)) {
      case 0:
        return pick(2) ? builder_.jump(on) : builder_.call(on, pc(index) + 0x40);
      case 1:
      case 2:
        return builder_.branch(builder_.and_(more, condition()), back, on);
      case 3:
        return builder_.branch(condition(), on, forward(index));
      default: {
        const Value to =
            builder_.select(builder_.and_(more, condition()), builder_.code_address(back), builder_.code_address(on));
        return pick(2) ? builder_.ret(to) : builder_.jump_indirect(to);
      }
    }
  }

  Type int_type() { return pick(2) ? Type::I64 : Type::I32; }
  Value integer(Type t) {
    if (!values_.empty() && pick(3) == 0) {
      const Value v = values_[pick(static_cast<u32>(values_.size()))];
      if (builder_.type(v) == t) return v;
    }
    if (pick(5) == 0) return builder_.imm(t, interesting());
    return builder_.get(t, static_cast<u16>(pick(kIntSlots)));
  }
  Value condition() {
    if (pick(3) == 0) {
      const Type t = int_type();
      return builder_.cmp(static_cast<Opcode>(static_cast<u32>(Opcode::CmpEq) + pick(6)), integer(t), integer(t));
    }
    if (pick(3)) return builder_.cond(builder_.get(Type::Flags, arm::slot::kFlags), static_cast<ir::Cond>(pick(14)));
    const Value made = flags();
    if (pick(2)) builder_.set(arm::slot::kFlags, made);
    return builder_.cond(made, static_cast<ir::Cond>(pick(14)));
  }
  Value flags() {
    const Type t = int_type();
    const Value a = integer(t), b = integer(t);
    switch (pick(8)) {
      case 0:
        return builder_.flags(Opcode::FlagsAdd, {a, b});
      case 1:
        return builder_.flags(Opcode::FlagsLogic, {a});
      case 2:
        return builder_.flags(Opcode::FlagsAdc, {a, b, condition()});
      case 3:
        return builder_.flags(Opcode::FlagsSbc, {a, b, condition()});
      case 4:
        return builder_.flags(pick(2) ? Opcode::FlagsCcmpSub : Opcode::FlagsCcmpAdd, {condition(), a, b}, pick(16));
      case 5:
        if (pick(2)) return builder_.flags(Opcode::FlagsFromNzcv, {integer(Type::I32)});
        return builder_.flags(Opcode::FlagsFcmp, {float_value(), float_value()}, pick(2));
      default:
        return builder_.flags(Opcode::FlagsSub, {a, b});
    }
  }
  Value float_value() { return builder_.get(Type::F64, float_slot()); }
  u16 vector_slot() { return static_cast<u16>(arm::slot::kV0 + pick(6)); }
  /// Half of them hold only floats.
  u16 float_slot() { return static_cast<u16>(arm::slot::kV0 + pick(12)); }

  Value address() {
    if (pick(40) == 0) return builder_.i64(memory_ + RegionTester::kMemorySize - pick(16));
    const Value offset = builder_.and_(integer(Type::I64), builder_.i64(0xff0 | (pick(4) == 0 ? 15 : 0)));
    return builder_.add(offset, builder_.i64(memory_));
  }
  ir::MemAttr attributes(unsigned size) {
    ir::MemAttr m;
    m.size_log2 = static_cast<u8>(size);
    m.aligned = pick(6) == 0;
    return m;
  }

  void step() {
    const u16 to = static_cast<u16>(pick(kIntSlots));
    switch (pick(14)) {
      case 0:
      case 1:
        return builder_.set(arm::slot::kFlags, flags());
      case 2:
        return load();
      case 3:
        return store();
      case 4:
        return atomic();
      case 5:
        return floating();
      case 6:
        return vector();
      case 7:
        return builder_.set(to, builder_.select(condition(), integer(Type::I64), integer(Type::I64)));
      case 8:
        return builder_.set(to, builder_.zext(Type::I64, condition()));
      default:
        break;
    }
    constexpr Opcode kOps[] = {Opcode::Add, Opcode::Sub, Opcode::Mul,    Opcode::And,   Opcode::Or,  Opcode::Xor,
                               Opcode::Shl, Opcode::Sar, Opcode::AndNot, Opcode::OrNot, Opcode::Ror, Opcode::Shr};
    const Type t = int_type();
    const Value v = builder_.op(kOps[pick(std::size(kOps))], t, {integer(t), integer(t)});
    values_.push_back(v);
    builder_.set(to, v);
  }

  void load() {
    if (pick(4) == 0) {
      const Type t = pick(3) == 0 ? Type::F32 : pick(2) ? Type::F64 : Type::V128;
      const unsigned size = t == Type::F32 ? 2 : t == Type::F64 ? 3 : 4;
      return builder_.set(t == Type::V128 ? vector_slot() : float_slot(),
                          builder_.load(t, address(), static_cast<s64>(pick(32)), attributes(size)));
    }
    const Type t = int_type();
    ir::MemAttr m = attributes(pick(t == Type::I64 ? 4 : 3));
    m.sign = pick(2) && m.bytes() * 8 < ir::type_bits(t);
    m.acquire = pick(4) == 0;
    const Value v = builder_.load(t, address(), static_cast<s64>(pick(64)) - 32, m);
    values_.push_back(v);
    builder_.set(static_cast<u16>(pick(kIntSlots)), v);
  }
  void store() {
    if (pick(4) == 0) {
      const Type t = pick(3) == 0 ? Type::F32 : pick(2) ? Type::F64 : Type::V128;
      const unsigned size = t == Type::F32 ? 2 : t == Type::F64 ? 3 : 4;
      return builder_.store(address(), 0, builder_.get(t, vector_slot()), attributes(size));
    }
    const Type t = int_type();
    ir::MemAttr m = attributes(pick(t == Type::I64 ? 4 : 3));
    m.release = pick(4) == 0;
    m.index_shift = static_cast<u8>(pick(4));
    const Value index = builder_.and_(integer(Type::I64), builder_.i64(31));
    builder_.store(address(), static_cast<s64>(pick(64)), integer(t), m, index);
  }
  void atomic() {
    const Type t = int_type();
    ir::MemAttr m = attributes(pick(t == Type::I64 ? 4 : 3));
    const Value at = builder_.and_(address(), builder_.i64(~u64{15}));
    Value v;
    switch (pick(4)) {
      case 0:
        v = builder_.cas(at, integer(t), integer(t), m);
        break;
      case 1:
        v = builder_.zext(Type::I64, builder_.cas_if(condition(), at, integer(t), integer(t), m));
        break;
      case 2:
        m.size_log2 = 4;
        m.aligned = true;
        return builder_.set(vector_slot(), builder_.cas(at, builder_.get(Type::V128, vector_slot()),
                                                        builder_.get(Type::V128, vector_slot()), m));
      default:
        if (pick(8) == 0) return builder_.fence(static_cast<ir::FenceKind>(pick(3)));
        if (pick(8) == 0) return builder_.prefetch(integer(Type::I64), static_cast<ir::PrefetchKind>(pick(5)));
        v = builder_.rmw(static_cast<ir::RmwOp>(pick(9)), at, integer(t), m);
        break;
    }
    builder_.set(static_cast<u16>(pick(kIntSlots)), v);
  }
  void floating() {
    if (pick(8) == 0) {
      const Value status = builder_.op(Opcode::GetFpStatus, Type::I32, {});
      builder_.set(static_cast<u16>(pick(kIntSlots)), status);
      return;
    }
    if (pick(8) == 0 && !fp_.host_flush) {
      builder_.op(Opcode::SetFpStatus, Type::None, {builder_.i32(pick(32))});
      return;
    }
    constexpr Opcode kOps[] = {Opcode::FAdd, Opcode::FSub, Opcode::FMul, Opcode::FDiv, Opcode::FMax};
    const Type t = pick(2) ? Type::F64 : Type::F32;
    Value a = builder_.get(t, float_slot());
    for (unsigned n = 1 + pick(3); n > 0; --n) {
      const Value b = builder_.get(t, float_slot());
      a = pick(4) == 0 ? builder_.fp(Opcode::FMulAdd, t, ir::Arr::None, {a, b, builder_.get(t, float_slot())})
                       : builder_.fp(kOps[pick(std::size(kOps))], t, ir::Arr::None, {a, b});
      if (pick(3)) builder_.set(float_slot(), a);
    }
    if (pick(8) == 0) builder_.set(float_slot(), builder_.imm(Type::I64, interesting()));
  }
  void vector() {
    constexpr Opcode kOps[] = {Opcode::VAdd, Opcode::VSub, Opcode::VXor, Opcode::VCmpEq, Opcode::VAnd, Opcode::VMaxS};
    const auto arr = static_cast<ir::Arr>(1 + pick(8));
    const bool half = !ir::is_full(arr);
    const auto get = [&] { return builder_.get(Type::V128, half ? float_slot() : vector_slot()); };
    const Value a = get(), b = get();
    const u16 to = half ? float_slot() : vector_slot();
    if (!half && ir::lane_bits(arr) > 8 && pick(3) == 0) {
      const Value low = builder_.get(Type::V128, float_slot());
      return builder_.set(to, builder_.vec(pick(2) ? Opcode::VMullS : Opcode::VMullU, arr, {low, b}));
    }
    if (half && ir::lane_bits(arr) < 64 && pick(6) == 0)
      return builder_.set(to, builder_.vec(Opcode::VNarrow, arr, {builder_.get(Type::V128, vector_slot())}));
    if (half && ir::lane_bits(arr) == 32 && pick(4) == 0)
      return builder_.set(to, builder_.fp(Opcode::FAdd, Type::V128, arr, {a, b}));
    builder_.set(to, builder_.vec(kOps[pick(std::size(kOps))], arr, {a, b}));
  }

  std::mt19937_64 random_;
  u64 memory_;
  ir::Builder builder_;
  ir::Region region_;
  ir::FpRules fp_;
  bool relative_ = false;
  u64 first_ = 0;  // pc
  unsigned count_ = 0;
  std::vector<Value> values_;
};

void run(RegionTester& tester, u64 first_seed, unsigned count) {
  if (const char* text = std::getenv("TIERCEL_REGIONS")) count = static_cast<unsigned>(std::atoi(text));
  for (u64 seed = first_seed; seed < first_seed + count; ++seed) {
    Generator g(seed, tester.guest_memory());
    const ir::Region region = g.make();
    for (const ir::Function& f : region.blocks)
      for (const std::string& wrong : ir::verify(f, a64_slots())) FAIL() << wrong;
    ASSERT_EQ(tester.compile(region), "") << "seed " << seed << "\n" << tester.describe(region);
    for (int n = 0; n < 6; ++n) {
      g.fill(tester.start(), tester.start_memory());
      const std::string wrong = tester.run(region);
      ASSERT_EQ(wrong, "") << "seed " << seed << " run " << n << "\n" << tester.describe(region);
    }
  }
}

TEST(RandomRegions, OnThisHost) {
  RegionTester tester;
  run(tester, 1, 400);
}
TEST(RandomRegions, WithAMemoryBase) {
  RegionTester tester(backend::HostFeatures::detect(), false);
  run(tester, 100001, 200);
}
TEST(RandomRegions, OnTheLeastHost) {
  RegionTester tester(backend::HostFeatures{});
  run(tester, 200001, 200);
}

}  // namespace
}  // namespace tiercel::test
