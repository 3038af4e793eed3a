// Random integer, flags, memory and control-flow IR: the fast tier must leave what the interpreter leaves.
// TIERCEL_RANDOM_ROUNDS=n makes n times as many functions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ir/verifier.h"
#include "tests/backend/harness.h"

namespace tiercel::backend::test {
namespace {

using namespace ir;

class Generator {
 public:
  explicit Generator(u32 seed) : random_(seed) {}

  Function make(unsigned length) {
    f_ = {};
    f_.pc = 0x1000;
    add(Opcode::Insn, Type::None, {}, 0, f_.pc);
    for (unsigned i = 0; i < length; ++i) step(i);
    finish();
    f_.end_pc = 0x1000 + 4 * length;
    return f_;
  }

  State state() {
    State s;
    for (u16 i = 0; i < kIntCount; ++i) put(s, slots()[i].offset, interesting());
    const u16 flags = flags_from_nzcv(pick(16));
    std::memcpy(s.bytes + slots()[kFlags].offset, &flags, 2);
    for (u16 i = 0; i < kVecCount; ++i) {
      put(s, slots()[kFirstVec + i].offset, interesting());
      put(s, slots()[kFirstVec + i].offset + 8, interesting());
    }
    const u32 cold = static_cast<u32>(random_());
    std::memcpy(s.bytes + slots()[kCold32].offset, &cold, 4);
    return s;
  }

  u32 pick(u32 n) { return static_cast<u32>(random_() % n); }

 private:
  static void put(State& s, u32 offset, u64 v) { std::memcpy(s.bytes + offset, &v, 8); }

  u64 interesting() {
    static constexpr u64 kValues[] = {0,
                                      1,
                                      2,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fff,
                                      0x8000,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x100000000,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~u64{0},
                                      ~u64{0} - 1};
    if (pick(2)) return kValues[pick(std::size(kValues))];
    return random_() >> pick(64);
  }

  Value add(Opcode op, Type type, std::initializer_list<Value> args, u32 aux = 0, u64 imm = 0) {
    Inst inst{.op = op, .type = type};
    inst.aux = aux;
    inst.imm = imm;
    std::copy(args.begin(), args.end(), inst.args);
    f_.insts.push_back(inst);
    return Value{static_cast<u32>(f_.insts.size() - 1)};
  }

  Value fresh(Type type) {
    switch (type) {
      case Type::Flags:
        return add(Opcode::Get, type, {}, kFlags);
      case Type::V128:
      case Type::F64:
      case Type::F32:
        return add(Opcode::Get, type, {}, kFirstVec + pick(kVecCount));
      case Type::I1:
        return any(Type::I1, true);
      default:
        if (pick(3) == 0)
          return add(Opcode::Const, type, {}, 0, interesting() & (type == Type::I32 ? 0xffffffff : ~u64{0}));
        return add(Opcode::Get, type, {}, pick(kIntCount));
    }
  }

  /// An earlier value of the type, or a new one.
  Value any(Type type, bool make_condition = false) {
    std::vector<Value> known;
    for (u32 i = 0; i < f_.insts.size(); ++i)
      if (f_.insts[i].type == type && info(f_.insts[i].op).result != '-') known.push_back(Value{i});
    if (!known.empty() && pick(4)) {
      const std::size_t recent = std::min<std::size_t>(known.size(), 6);
      return pick(3) ? known[known.size() - 1 - pick(static_cast<u32>(recent))]
                     : known[pick(static_cast<u32>(known.size()))];
    }
    if (type == Type::I1) {
      static_cast<void>(make_condition);
      return condition();
    }
    return fresh(type);
  }

  Type int_type() { return pick(2) ? Type::I64 : Type::I32; }

  Value condition() {
    switch (pick(4)) {
      case 0: {
        const Type t = int_type();
        const Value v = any(t);
        return add(Opcode::TestBit, Type::I1, {v}, 0, pick(type_bits(t)));
      }
      case 1: {
        const Type t = int_type();
        const Value a = any(t), b = any(t);
        return add(static_cast<Opcode>(static_cast<u32>(Opcode::CmpEq) + pick(6)), Type::I1, {a, b});
      }
      default: {
        const Value v = any(Type::Flags);
        return add(Opcode::FlagsCond, Type::I1, {v}, 0, pick(14));
      }
    }
  }

  Value flags() {
    const Type t = int_type();
    switch (pick(8)) {
      case 0: {
        const Value a = any(t), b = any(t);
        return add(Opcode::FlagsAdd, Type::Flags, {a, b});
      }
      case 1: {
        const Value a = any(t), b = any(t), c = any(Type::I1);
        return add(pick(2) ? Opcode::FlagsAdc : Opcode::FlagsSbc, Type::Flags, {a, b, c});
      }
      case 2: {
        const Value a = any(t);
        return add(Opcode::FlagsLogic, Type::Flags, {a});
      }
      case 3: {
        const Value a = any(t), b = any(t), c = any(Type::I1);
        return add(pick(2) ? Opcode::FlagsCcmpSub : Opcode::FlagsCcmpAdd, Type::Flags, {c, a, b}, 0, pick(16));
      }
      case 4: {
        const Type ft = pick(2) ? Type::F64 : Type::F32;
        const Value a = any(ft), b = any(ft);
        return add(Opcode::FlagsFcmp, Type::Flags, {a, b}, 0, pick(2));
      }
      case 5:
        return add(Opcode::FlagsFromNzcv, Type::Flags, {any(Type::I32)});
      default: {
        const Value a = any(t), b = any(t);
        return add(Opcode::FlagsSub, Type::Flags, {a, b});
      }
    }
  }

  /// Arithmetic and its flags, as flag-setting insns make them.
  void arithmetic_with_flags() {
    const Type t = int_type();
    const Value a = any(t), b = any(t);
    const u32 kind = pick(5);
    if (kind < 2) {
      const Value r = add(kind ? Opcode::Add : Opcode::Sub, t, {a, b});
      if (pick(2)) add(Opcode::Set, t, {r}, pick(kIntCount));
      add(kind ? Opcode::FlagsAdd : Opcode::FlagsSub, Type::Flags, {a, b});
    } else if (kind < 4) {
      const Value c = any(Type::I1);
      const Value r = add(kind == 2 ? Opcode::Adc : Opcode::Sbc, t, {a, b, c});
      if (pick(2)) add(Opcode::Set, t, {r}, pick(kIntCount));
      add(kind == 2 ? Opcode::FlagsAdc : Opcode::FlagsSbc, Type::Flags, {a, b, c});
    } else {
      static constexpr Opcode kLogic[] = {Opcode::And, Opcode::AndNot, Opcode::Or, Opcode::Xor};
      const Value r = add(kLogic[pick(4)], t, {a, b});
      if (pick(2)) add(Opcode::Set, t, {r}, pick(kIntCount));
      add(Opcode::FlagsLogic, Type::Flags, {r});
    }
    if (pick(2)) add(Opcode::Set, Type::Flags, {Value{static_cast<u32>(f_.insts.size() - 1)}}, kFlags);
  }

  void integer() {
    using enum Opcode;
    static constexpr Opcode kBinary[] = {Add, Add, Sub,    Mul,   MulHiU, MulHiS, DivU, DivS, And,
                                         Or,  Xor, AndNot, OrNot, XorNot, Shl,    Shr,  Sar,  Ror};
    static constexpr Opcode kUnary[] = {Not, Neg, Clz, Ctz, Popcnt, BitRev, ByteRev};
    const Type t = int_type();
    const u32 bits = type_bits(t);
    const Value a = any(t), b = any(t);
    switch (pick(12)) {
      case 0:
        add(kUnary[pick(std::size(kUnary))], t, {a});
        break;
      case 1:
        add(Extr, t, {a, b}, 0, pick(bits));
        break;
      case 2: {
        const u32 lsb = pick(bits), width = 1 + pick(bits - lsb);
        if (pick(3) == 0)
          add(Bfi, t, {a, b}, lsb | width << 8);
        else
          add(pick(2) ? UBfx : SBfx, t, {a}, lsb | width << 8);
        break;
      }
      case 3:
        if (pick(2))
          add(pick(2) ? ZExt : SExt, Type::I64, {any(pick(2) ? Type::I32 : Type::I1)});
        else
          add(Trunc, Type::I32, {any(Type::I64)});
        break;
      case 4:
        narrow();
        break;
      case 5: {
        const Value c = any(Type::I1);
        add(Select, t, {c, a, b});
        break;
      }
      case 6: {
        const u32 bytes = 1u << pick(4);
        const Value d = any(bytes == 8 ? Type::I64 : Type::I32), c = any(Type::I32);
        add(pick(2) ? Crc32 : Crc32c, Type::I32, {c, d}, 0, bytes);
        break;
      }
      case 7: {
        const Value n = add(Const, t, {}, 0, pick(bits));
        static constexpr Opcode kShift[] = {Shl, Shr, Sar, Ror};
        add(kShift[pick(4)], t, {a, n});
        break;
      }
      case 8: {
        const Value x = any(Type::I1), y = any(Type::I1);
        static constexpr Opcode kLogic[] = {And, Or, Xor};
        pick(4) ? add(kLogic[pick(3)], Type::I1, {x, y}) : add(Not, Type::I1, {x});
        break;
      }
      default:
        add(kBinary[pick(std::size(kBinary))], t, {a, b});
        break;
    }
  }

  void narrow() {
    const Type n = pick(2) ? Type::I8 : Type::I16;
    const Value v = add(Opcode::Trunc, n, {any(int_type())});
    const Type t = int_type();
    add(pick(2) ? Opcode::ZExt : Opcode::SExt, t, {v});
  }

  void set() {
    switch (pick(6)) {
      case 0: {
        static constexpr Type kTypes[] = {Type::V128, Type::F32, Type::F64, Type::I64, Type::I32};
        const Type t = kTypes[pick(5)];
        const Value v = any(t);
        add(Opcode::Set, t, {v}, kFirstVec + pick(kVecCount));
        break;
      }
      case 1: {
        const Value v = any(Type::Flags);
        add(Opcode::Set, Type::Flags, {v}, kFlags);
        break;
      }
      case 2: {
        const Type t = pick(2) ? Type::I32 : Type::I1;
        const Value v = any(t);
        add(Opcode::Set, t, {v}, kCold32);
        break;
      }
      default: {
        const Type t = pick(8) == 0 ? Type::I1 : int_type();
        const Value v = any(t);
        add(Opcode::Set, t, {v}, pick(kIntCount));
        break;
      }
    }
  }

  /// An address in the guest memory, mostly aligned to 16.
  Value place() {
    const Value mask = add(Opcode::Const, Type::I64, {}, 0, pick(8) ? 0xff0 : 0xfbf);
    const Value base = add(Opcode::Const, Type::I64, {}, 0, Machine::kMemory);
    const Value v = any(Type::I64);
    const Value offset = add(Opcode::And, Type::I64, {v, mask});
    return add(Opcode::Or, Type::I64, {offset, base});
  }

  void memory() {
    MemAttr m;
    m.aligned = pick(2);
    const Value base = place();
    const u32 kind = pick(6);
    if (kind == 5) {
      static constexpr Type kTypes[] = {Type::V128, Type::F64, Type::F32};
      const Type t = kTypes[pick(3)];
      m.size_log2 = t == Type::V128 ? 4 : t == Type::F64 ? 3 : 2;
      if (pick(2)) {
        const Value v = any(t);
        add(Opcode::Store, t, {base, kNoValue, v}, m.pack());
      } else {
        add(Opcode::Load, t, {base, kNoValue}, m.pack());
      }
      return;
    }
    const Type t = int_type();
    m.size_log2 = static_cast<u8>(pick(t == Type::I64 ? 4 : 3));
    m.release = pick(4) == 0;
    if (kind == 0) {
      m.sign = m.size_log2 < (t == Type::I64 ? 3 : 2) && pick(2);
      add(Opcode::Load, t, {base, kNoValue}, m.pack(), pick(2) ? 0 : pick(8));
    } else if (kind == 1) {
      const Value v = any(t);
      add(Opcode::Store, t, {base, kNoValue, v}, m.pack(), pick(8));
    } else if (kind == 2) {
      const Value v = any(t);
      add(Opcode::AtomicRmw, t, {base, v}, m.pack(), pick(9));
    } else if (kind == 3) {
      if (pick(3) == 0) return wide_cas(base);
      const Value a = any(t), b = any(t);
      add(Opcode::AtomicCas, t, {base, a, b}, m.pack());
    } else {
      const Value c = any(Type::I1), a = any(t), b = any(t);
      add(Opcode::CasIf, Type::I1, {c, base, a, b}, m.pack());
    }
  }

  void wide_cas(Value base) {
    MemAttr m;
    m.size_log2 = 4;
    m.aligned = true;  // CMPXCHG16B insists anyway
    const Value a = pick(2) ? add(Opcode::Load, Type::V128, {base, kNoValue}, m.pack()) : any(Type::V128);
    const Value b = any(Type::V128);
    if (pick(2)) {
      add(Opcode::AtomicCas, Type::V128, {base, a, b}, m.pack());
    } else {
      const Value c = any(Type::I1);
      add(Opcode::CasIf, Type::I1, {c, base, a, b}, m.pack());
    }
  }

  void step(unsigned i) {
    switch (pick(12)) {
      case 0:
        flags();
        break;
      case 1:
        condition();
        break;
      case 2:
        arithmetic_with_flags();
        break;
      case 3:
      case 4:
      case 5:
        set();
        break;
      case 6:
        memory();
        break;
      case 7: {
        if (pick(2)) {
          add(Opcode::Insn, Type::None, {}, 0, 0x1000 + 4 * i);
        } else {
          static constexpr Type kTypes[] = {Type::I64, Type::I32, Type::F64, Type::V128, Type::Flags};
          fresh(kTypes[pick(5)]);
        }
        break;
      }
      case 8:
        if (pick(3) == 0) {
          const Value f = any(Type::Flags);
          add(Opcode::FlagsToNzcv, Type::I32, {f});
        } else {
          const Type t = pick(2) ? Type::V128 : pick(2) ? Type::F64 : Type::F32;
          const Value a = any(t), b = any(t), c = any(Type::I1);
          add(Opcode::Select, t, {c, a, b});
        }
        break;
      default:
        integer();
        break;
    }
  }

  void finish() {
    const Value target = any(Type::I64), c = any(Type::I1);
    const u32 pc = f_.add_constant({0x5000, 0});
    switch (pick(4)) {
      case 0:
        add(Opcode::Jump, Type::None, {}, 0, pick(2) ? 0x1000 : 0x2000);
        break;
      case 1:
        add(Opcode::JumpInd, Type::None, {target});
        break;
      case 2:
        add(Opcode::Exit, Type::None, {target}, static_cast<u32>(ExitKind::Syscall) | pc << 8, 17);
        break;
      default:
        add(Opcode::Branch, Type::None, {c}, pc, pick(2) ? 0x1000 : 0x3000);
        break;
    }
  }

  std::mt19937_64 random_;
  Function f_;
};

void run(const HostFeatures& features, u32 chaos, u32 first_seed, u32 count) {
  if (const char* rounds = std::getenv("TIERCEL_RANDOM_ROUNDS"))
    count *= static_cast<u32>(std::max(1, std::atoi(rounds)));
  Machine machine(features, chaos);
  for (u32 seed = first_seed; seed < first_seed + count; ++seed) {
    Generator g(seed);
    const Function f = g.make(5 + g.pick(60));
    verify_or_die(f, slots(), "generation");
    for (int k = 0; k < 2; ++k) {
      const std::string difference = machine.compare(f, g.state());
      ASSERT_TRUE(difference.empty()) << "seed " << seed << "\n" << difference;
    }
  }
}

TEST(X64Random, HostFeatures) {
  run(HostFeatures::detect(), 0, 1, 3000);
}
TEST(X64Random, Chaos) {
  run(HostFeatures::detect(), 12345, 100001, 2000);
}
TEST(X64Random, LeastFeatures) {
  run(HostFeatures{}, 0, 200001, 2000);
}
TEST(X64Random, Avx2) {
  HostFeatures h = HostFeatures::detect();
  h.avx512vl = h.avx512vbmi = h.avx512bitalg = h.gfni = h.vpclmul = false;
  run(h, 0, 300001, 2000);
}

}  // namespace
}  // namespace tiercel::backend::test
