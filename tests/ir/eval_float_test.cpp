#include <cmath>
#include <random>

#include "tests/ir/eval_helper.h"

namespace tiercel::ir {
namespace {

using enum Opcode;

constexpr u32 kMxInvalid = 1, kMxDivByZero = 4, kMxOverflow = 8, kMxUnderflow = 16, kMxInexact = 32;
constexpr u32 kMxFlags = kMxInvalid | kMxDivByZero | kMxOverflow | kMxUnderflow | kMxInexact;
constexpr u32 kMxNearest = 0x1f80, kMxDown = 0x3f80, kMxUp = 0x5f80, kMxZero = 0x7f80;

void set_mxcsr(u32 v) {
  asm volatile("ldmxcsr %0" : : "m"(v));
}
u32 get_mxcsr() {
  u32 v;
  asm volatile("stmxcsr %0" : "=m"(v));
  return v;
}

struct Outcome {
  u64 value;
  u32 flags;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
void PrintTo(const Outcome& o, std::ostream* out) {
  *out << std::hex << o.value << " flags " << o.flags;
}

struct Rules {
  FpRules fp = {};
  u32 mxcsr = kMxNearest;
};

Outcome fp(Opcode o, Type t, std::initializer_list<u64> args, Rules rules = {}, u32 aux = 0, Type arg_type = Type::None,
           u64 imm = 0) {
  PureOp op = make_op(o, t, Arr::None, imm, aux);
  if (arg_type != Type::None) op.arg_type = arg_type;
  op.fp = rules.fp.pack();
  U128 a[4];
  std::size_t n = 0;
  for (const u64 v : args) a[n++].lo = v;
  u32 extra = 0;
  FpEnv env{&extra};
  const u32 saved = get_mxcsr();
  set_mxcsr(rules.mxcsr);
  const u64 value = eval(op, a, env).lo;
  const u32 flags = (get_mxcsr() & kMxFlags) | extra << 8;
  set_mxcsr(saved);
  return {value, flags};
}
constexpr u32 kInputDenormal = fpstatus::kInputDenormal << 8;

constexpr Type kS = Type::F32, kD = Type::F64;
constexpr u64 kInf = 0x7ff0000000000000, kQnan = 0x7ff8000000000000, kSign = u64{1} << 63, kOne = 0x3ff0000000000000,
              kMinNormal = 0x0010000000000000;
u64 d(double v) {
  return std::bit_cast<u64>(v);
}

TEST(EvalFloat, ArmNanSelection) {
  const u64 snan = 0x7ff0000000000001, qnan = 0x7ff8000000000002;
  EXPECT_EQ(fp(FAdd, kD, {qnan, snan}), (Outcome{snan | 0x0008000000000000, kMxInvalid}));
  EXPECT_EQ(fp(FAdd, kD, {qnan, kOne}), (Outcome{qnan, 0}));
  EXPECT_EQ(fp(FSub, kD, {kOne, qnan | kSign}), (Outcome{qnan | kSign, 0}));
  EXPECT_EQ(fp(FSub, kD, {kInf, kInf}), (Outcome{kQnan, kMxInvalid}));
  EXPECT_EQ(fp(FAdd, kD, {qnan, kOne}, {.fp = {.default_nan = true}}), (Outcome{kQnan, 0}));
  EXPECT_EQ(fp(FSub, kD, {kInf, kInf}, {.fp = {.x86_nans = true}}), (Outcome{kQnan | kSign, kMxInvalid}));
}

TEST(EvalFloat, FusedInvalidProducts) {
  EXPECT_EQ(fp(FMulAdd, kD, {kQnan | 5, kInf, 0}), (Outcome{kQnan, kMxInvalid}));
  EXPECT_EQ(fp(FMulAdd, kD, {kOne, kInf, 0}), (Outcome{kQnan, kMxInvalid}));
  EXPECT_EQ(fp(FMulAdd, kD, {kInf | kSign, kInf, kOne}), (Outcome{kQnan, kMxInvalid}));
  EXPECT_EQ(fp(FMulX, kD, {kInf, kSign}), (Outcome{d(-2.0), 0}));
  EXPECT_EQ(fp(FMul, kD, {kInf, kSign}), (Outcome{kQnan, kMxInvalid}));
}

// Halfway between the least normal number and the largest subnormal one rounds up to the former: tiny before rounding.
TEST(EvalFloat, TininessIsDetectedBeforeRounding) {
  const u64 below_one = kOne - 1;
  EXPECT_EQ(fp(FMul, kD, {kMinNormal, below_one}), (Outcome{kMinNormal, kMxUnderflow | kMxInexact}));
  EXPECT_EQ(fp(FMul, kD, {kMinNormal, kOne}), (Outcome{kMinNormal, 0}));
  EXPECT_EQ(fp(FMulAdd, kD, {0, kMinNormal, below_one}), (Outcome{kMinNormal, kMxUnderflow | kMxInexact}));
  EXPECT_EQ(fp(FMul, kD, {kMinNormal, d(0.5)}), (Outcome{kMinNormal >> 1, 0}));  // exact: no underflow
}

TEST(EvalFloat, FlushToZero) {
  const Rules fz{.fp = {.flush = true}};
  EXPECT_EQ(fp(FMul, kD, {kMinNormal, d(0.5)}, fz), (Outcome{0, kMxUnderflow}));
  EXPECT_EQ(fp(FMul, kD, {kMinNormal | kSign, kOne - 1}, fz), (Outcome{kSign, kMxUnderflow}));
  EXPECT_EQ(fp(FAdd, kD, {1, kOne}, fz), (Outcome{kOne, kInputDenormal}));
  EXPECT_EQ(fp(FSub, kD, {kOne, kOne}, fz), (Outcome{0, 0}));
  EXPECT_EQ(fp(FMax, kD, {1, kSign | 1}, fz), (Outcome{0, kInputDenormal}));
  EXPECT_EQ(fp(FCvt, kS, {0x36a0000000000000}, fz, static_cast<u32>(Round::Current), kD), (Outcome{0, kMxUnderflow}));
}

TEST(EvalFloat, MaximumAndMinimum) {
  EXPECT_EQ(fp(FMax, kD, {kSign, 0}).value, 0u);
  EXPECT_EQ(fp(FMin, kD, {0, kSign}).value, kSign);
  EXPECT_EQ(fp(FMax, kD, {d(-1), d(-2)}).value, d(-1));
  EXPECT_EQ(fp(FMaxNm, kD, {kQnan, d(-2)}), (Outcome{d(-2), 0}));
  EXPECT_EQ(fp(FMinNm, kD, {d(3), kQnan}), (Outcome{d(3), 0}));
  EXPECT_EQ(fp(FMaxNm, kD, {0x7ff0000000000001, d(3)}), (Outcome{0x7ff8000000000001, kMxInvalid}));
  EXPECT_EQ(fp(FMax, kD, {kQnan, d(-2)}), (Outcome{kQnan, 0}));
}

TEST(EvalFloat, RoundingToIntegral) {
  const auto round = [](double v, Round r, bool exact = false) {
    return fp(FRint, kD, {d(v)}, {}, static_cast<u32>(r) | (exact ? 8 : 0));
  };
  EXPECT_EQ(round(2.5, Round::TieEven), (Outcome{d(2), 0}));
  EXPECT_EQ(round(2.5, Round::TieAway), (Outcome{d(3), 0}));
  EXPECT_EQ(round(-0.5, Round::TieEven, true), (Outcome{kSign, kMxInexact}));
  EXPECT_EQ(round(-2.1, Round::NegInf), (Outcome{d(-3), 0}));
  EXPECT_EQ(round(-2.1, Round::PosInf), (Outcome{d(-2), 0}));
  EXPECT_EQ(round(0x1p60 + 4096, Round::Zero, true), (Outcome{d(0x1p60 + 4096), 0}));
  EXPECT_EQ(fp(FRint, kD, {1}, {.mxcsr = kMxUp}, static_cast<u32>(Round::Current)), (Outcome{kOne, 0}));
}

TEST(EvalFloat, ToIntegersSaturates) {
  const auto zero = static_cast<u32>(Round::Zero);
  const auto to = [&](Type t, double v, u32 aux) { return fp(FToInt, t, {d(v)}, {}, aux, kD); };
  EXPECT_EQ(to(Type::I32, 1e10, zero), (Outcome{0x7fffffff, kMxInvalid}));
  EXPECT_EQ(to(Type::I32, -1e10, zero), (Outcome{0x80000000, kMxInvalid}));
  EXPECT_EQ(to(Type::I32, -0.5, zero | 8), (Outcome{0, kMxInexact}));
  EXPECT_EQ(to(Type::I32, -1.0, zero | 8), (Outcome{0, kMxInvalid}));
  EXPECT_EQ(to(Type::I64, 0x1p63, zero), (Outcome{0x7fffffffffffffff, kMxInvalid}));
  EXPECT_EQ(to(Type::I64, 0x1p63, zero | 8), (Outcome{u64{1} << 63, 0}));
  EXPECT_EQ(to(Type::I64, -0x1p63, zero), (Outcome{u64{1} << 63, 0}));
  EXPECT_EQ(to(Type::I32, 1.5, zero | 4 << 8), (Outcome{24, 0}));
  EXPECT_EQ(fp(FToInt, Type::I64, {kQnan}, {}, zero, kD), (Outcome{0, kMxInvalid}));
  EXPECT_EQ(fp(FToInt, Type::I64, {kInf | kSign}, {}, zero, kD), (Outcome{u64{1} << 63, kMxInvalid}));
}

TEST(EvalFloat, FromIntegersRoundsOnce) {
  const auto from = [](Type t, Type it, u64 v, u32 aux, u32 mxcsr = kMxNearest) {
    return fp(IntToF, t, {v}, {.mxcsr = mxcsr}, aux, it);
  };
  EXPECT_EQ(from(kD, Type::I64, ~u64{0}, 0), (Outcome{d(-1), 0}));
  EXPECT_EQ(from(kD, Type::I64, ~u64{0}, 8), (Outcome{d(0x1p64), kMxInexact}));
  EXPECT_EQ(from(kD, Type::I64, ~u64{0}, 8, kMxZero).value, d(0x1.fffffffffffffp63));
  EXPECT_EQ(from(kS, Type::I64, 0x8000008000000001, 8).value, std::bit_cast<u32>(0x1.000002p63f));
  EXPECT_EQ(from(kD, Type::I32, 3, 1 << 8), (Outcome{d(1.5), 0}));
  EXPECT_EQ(from(kS, Type::I32, 0, 0), (Outcome{0, 0}));
}

TEST(EvalFloat, HalfPrecision) {
  EXPECT_EQ(fp(FFromHalf, kS, {0x3c00}, {}, 0, Type::I32).value, 0x3f800000u);
  EXPECT_EQ(fp(FFromHalf, kD, {0x0001}, {}, 0, Type::I32).value, d(0x1p-24));
  EXPECT_EQ(fp(FFromHalf, kS, {0x7c00}, {.fp = {.alt_half = true}}, 0, Type::I32).value, std::bit_cast<u32>(65536.0f));
  EXPECT_EQ(fp(FToHalf, Type::I32, {std::bit_cast<u32>(65520.0f)}, {}, 0, kS),
            (Outcome{0x7c00, kMxOverflow | kMxInexact}));
  EXPECT_EQ(fp(FToHalf, Type::I32, {std::bit_cast<u32>(131072.0f)}, {.fp = {.alt_half = true}}, 0, kS),
            (Outcome{0x7fff, kMxInvalid}));
  EXPECT_EQ(fp(FToHalf, Type::I32, {kInf}, {.fp = {.alt_half = true}}, 0, kD), (Outcome{0x7fff, kMxInvalid}));
  EXPECT_EQ(fp(FToHalf, Type::I32, {kQnan | kSign}, {.fp = {.alt_half = true}}, 0, kD), (Outcome{0x8000, kMxInvalid}));
  EXPECT_EQ(fp(FToHalf, Type::I32, {d(0x1p-25)}, {}, 0, kD), (Outcome{0, kMxUnderflow | kMxInexact}));
}

TEST(EvalFloat, NarrowingToOdd) {
  EXPECT_EQ(fp(FCvt, kS, {kOne + 1}, {}, static_cast<u32>(Round::Odd), kD), (Outcome{0x3f800001, kMxInexact}));
  EXPECT_EQ(fp(FCvt, kS, {d(1e300)}, {}, static_cast<u32>(Round::Odd), kD),
            (Outcome{0x7f7fffff, kMxOverflow | kMxInexact}));
}

TEST(EvalFloat, Estimates) {
  EXPECT_EQ(fp(FRecipE, kD, {kOne}).value, 0x3feff00000000000u);
  EXPECT_EQ(fp(FRecipE, kS, {0x00200000}).value, 0x7f7f8000u);
  EXPECT_EQ(fp(FRecipE, kS, {0x001fffff}), (Outcome{0x7f800000, kMxOverflow | kMxInexact}));
  EXPECT_EQ(fp(FRecipE, kS, {0x801fffff}, {.mxcsr = kMxUp}), (Outcome{0xff7fffff, kMxOverflow | kMxInexact}));
  EXPECT_EQ(fp(FRecipE, kD, {kSign}), (Outcome{kInf | kSign, kMxDivByZero}));
  EXPECT_EQ(fp(FRsqrtE, kD, {kOne}).value, 0x3feff00000000000u);
  EXPECT_EQ(fp(FRsqrtE, kD, {d(4)}).value, 0x3fdff00000000000u);
  EXPECT_EQ(fp(FRsqrtE, kD, {d(-4)}), (Outcome{kQnan, kMxInvalid}));
  EXPECT_EQ(fp(FRecipX, kD, {d(-4)}).value, 0xbfe0000000000000u);
  EXPECT_EQ(fp(FRecipX, kD, {1}).value, 0x7fe0000000000000u);
  EXPECT_EQ(fp(FRecipS, kD, {kInf, 0}).value, d(2));
  EXPECT_EQ(fp(FRsqrtS, kD, {kInf, 0}).value, d(1.5));
  EXPECT_EQ(fp(FRsqrtS, kD, {d(2), d(1)}).value, d(0.5));
}

TEST(EvalFloat, Comparisons) {
  const auto flags = [](u64 a, u64 b, u64 signal) {
    const Outcome o = fp(FlagsFcmp, Type::Flags, {a, b}, {}, 0, kD, signal);
    return std::pair(nzcv_from_flags(o.value), o.flags);
  };
  EXPECT_EQ(flags(d(1), d(2), 0), std::pair(0b1000u, 0u));
  EXPECT_EQ(flags(0, kSign, 0), std::pair(0b0110u, 0u));
  EXPECT_EQ(flags(d(-1), d(-2), 0), std::pair(0b0010u, 0u));
  EXPECT_EQ(flags(kQnan, d(2), 0), std::pair(0b0011u, 0u));
  EXPECT_EQ(flags(kQnan, d(2), 1), std::pair(0b0011u, kMxInvalid));
}

// -- against the host's own arithmetic --------------------------------------------------------------------------------

class Operands {
 public:
  u64 next64() {
    const u64 r = random_();
    switch (r & 7) {
      case 0:
        return kSpecial[random_() % std::size(kSpecial)] ^ (r & kSign);
      case 1:
        return (r & kSign) | (kOne + ((random_() % 64) << 52)) | (random_() & 0xf);
      case 2:
        return (r & ~kInf) | ((random_() % 60) << 52);
      default:
        return random_();
    }
  }
  u32 next32() {
    const u64 v = next64();
    return static_cast<u32>(random_() & 1 ? v : std::bit_cast<u32>(static_cast<float>(std::bit_cast<double>(v))));
  }

 private:
  static constexpr u64 kSpecial[] = {0, 1, kMinNormal, kMinNormal - 1, kOne, kOne - 1, kInf, kInf - 1};
  std::mt19937_64 random_{20231};
};

template <typename T, typename Fn>
Outcome on_host(u32 mxcsr, Fn fn) {
  const u32 saved = get_mxcsr();
  set_mxcsr(mxcsr);
  volatile T r = fn();
  const u32 flags = get_mxcsr() & kMxFlags;
  set_mxcsr(saved);
  if constexpr (sizeof(T) == 8)
    return {std::bit_cast<u64>(static_cast<T>(r)), flags};
  else
    return {std::bit_cast<u32>(static_cast<T>(r)), flags};
}

/// NaN choice and underflow at the least normal number are Arm's own business.
template <typename T>
void expect_same(Outcome ours, Outcome host, u64 min_normal, const char* what) {
  const T value = sizeof(T) == 8 ? static_cast<T>(std::bit_cast<double>(host.value))
                                 : static_cast<T>(std::bit_cast<float>(static_cast<u32>(host.value)));
  if (std::isnan(value)) return;
  if ((ours.value & ~(u64{1} << (8 * sizeof(T) - 1))) == min_normal) ours.flags = host.flags = 0;
  EXPECT_EQ(ours, host) << what;
}

TEST(EvalFloat, FusedAgreesWithTheHost) {
  Operands operands;
  for (const u32 mode : {kMxNearest, kMxDown, kMxUp, kMxZero}) {
    for (int i = 0; i < 50000; ++i) {
      volatile double a = std::bit_cast<double>(operands.next64()), b = std::bit_cast<double>(operands.next64()),
                      c = std::bit_cast<double>(operands.next64());
      if (i & 1) c = -(a * b);
      const Outcome ours = fp(FMulAdd, kD, {d(c), d(a), d(b)}, {.mxcsr = mode});
      expect_same<double>(ours, on_host<double>(mode, [&] { return std::fma(a, b, c); }), kMinNormal, "double");
      volatile float x = std::bit_cast<float>(operands.next32()), y = std::bit_cast<float>(operands.next32()),
                     z = std::bit_cast<float>(operands.next32());
      if (i & 1) z = -(x * y);
      const auto s = [](float v) { return u64{std::bit_cast<u32>(v)}; };
      const Outcome single = fp(FMulAdd, kS, {s(z), s(x), s(y)}, {.mxcsr = mode});
      expect_same<float>(single, on_host<float>(mode, [&] { return std::fma(x, y, z); }), 0x00800000, "single");
      if (HasFailure()) return;
    }
  }
}

TEST(EvalFloat, ConversionsAgreeWithTheHost) {
  Operands operands;
  for (const u32 mode : {kMxNearest, kMxDown, kMxUp, kMxZero}) {
    for (int i = 0; i < 50000; ++i) {
      const u64 bits = operands.next64();
      volatile double a = std::bit_cast<double>(bits);
      const Outcome narrow = fp(FCvt, kS, {bits}, {.mxcsr = mode}, static_cast<u32>(Round::Current), kD);
      expect_same<float>(narrow, on_host<float>(mode, [&] { return static_cast<float>(a); }), 0x00800000, "narrow");
      volatile s64 n = static_cast<s64>(bits);
      const Outcome from = fp(IntToF, kS, {bits}, {.mxcsr = mode}, 0, Type::I64);
      expect_same<float>(from, on_host<float>(mode, [&] { return static_cast<float>(n); }), 0, "from integer");
      if (std::fabs(a) < 0x1p62) {
        const Outcome to = fp(FToInt, Type::I64, {bits}, {.mxcsr = mode}, static_cast<u32>(Round::Zero), kD);
        EXPECT_EQ(static_cast<s64>(to.value), static_cast<s64>(a));
      }
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace tiercel::ir
