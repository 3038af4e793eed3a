// Every pure opcode, x64 tier against interpreter: results bit for bit, all other slots untouched, the same cumulative
// FP exceptions. TIERCEL_OPS_ROUNDS=n runs n times as many operands.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "frontend-arm/a64_frontend.h"
#include "frontend-arm/state.h"
#include "ir/printer.h"
#include "tests/diff/ops_cases.h"
#include "tests/support/fp_trap.h"
#include "tests/support/underflow.h"
#include "tests/support/x64_tier.h"

namespace tiercel::test {
namespace {

class Operands {
 public:
  explicit Operands(u64 seed) : random_(seed) {}
  std::mt19937_64& random() { return random_; }

  u64 integer() {
    constexpr u64 kValues[] = {0,
                               1,
                               2,
                               31,
                               32,
                               63,
                               64,
                               0x7f,
                               0x80,
                               0x7fffffff,
                               0x80000000,
                               0xffffffff,
                               0x100000000,
                               0x7fffffffffffffff,
                               0x8000000000000000,
                               ~u64{0},
                               ~u64{0} - 1};
    return random_() & 1 ? random_() : kValues[random_() % std::size(kValues)];
  }
  /// Lanes of one width, each random or special.
  U128 vector() {
    const unsigned bits = 8u << (random_() % 4);
    U128 v{random_(), random_()};
    if (random_() % 4 == 0) return v;
    for (unsigned at = 0; at < 128; at += bits)
      if (random_() % 3 != 0) put(v, at, bits, special(bits));
    return v;
  }

 private:
  static void put(U128& v, unsigned at, unsigned bits, u64 x) {
    std::memcpy(reinterpret_cast<u8*>(&v) + at / 8, &x, bits / 8);
  }
  u64 special(unsigned bits) {
    switch (bits) {
      case 8: {
        constexpr u8 kBytes[] = {0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 0x7f, 0x80, 0x81, 0xc0, 0xe0, 0xf0, 0xf8, 0xff};
        return kBytes[random_() % std::size(kBytes)];
      }
      case 16: {
        constexpr u16 kHalves[] = {0,      1,      0x7fff, 0x8000, 0xffff, 0x3c00, 0x7c00, 0xfc00, 0x7c01,
                                   0x7e00, 0x0400, 0x03ff, 0x7bff, 0x00ff, 0x0080, 0xff80, 0xfff0};
        return kHalves[random_() % std::size(kHalves)];
      }
      case 32:
        return kSingles[random_() % std::size(kSingles)] ^ (random_() & 1) << 31;
      default:
        return kDoubles[random_() % std::size(kDoubles)] ^ (random_() & 1) << 63;
    }
  }

  static constexpr u32 kSingles[] = {
      0,          1,          0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f7fffff, 0x3f800001, 0x40000000,
      0x3f000000, 0x3fc00000, 0x40200000, 0x4b000000, 0x4b7fffff, 0x4f000000, 0x4effffff, 0x4f800000, 0x5f000000,
      0x5f800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fc12345, 0x7fa00000, 0x00200000, 0x001fffff,
      0x7e800000, 0x33800000, 0x477fe000, 0x477ff000, 0x38800000, 0x387fffff, 0x33000000, 0xffffffff, 0x00000020};
  static constexpr u64 kDoubles[] = {0,
                                     1,
                                     0x000fffffffffffff,
                                     0x0010000000000000,
                                     0x0010000000000001,
                                     0x3ff0000000000000,
                                     0x3fefffffffffffff,
                                     0x3ff0000000000001,
                                     0x4000000000000000,
                                     0x3fe0000000000000,
                                     0x3ff8000000000000,
                                     0x4004000000000000,
                                     0x4330000000000000,
                                     0x432fffffffffffff,
                                     0x41dfffffffc00000,
                                     0x41e0000000000000,
                                     0x41efffffffe00000,
                                     0x41f0000000000000,
                                     0x43e0000000000000,
                                     0x43dfffffffffffff,
                                     0x43f0000000000000,
                                     0x7fefffffffffffff,
                                     0x7ff0000000000000,
                                     0x7ff0000000000001,
                                     0x7ff8000000000000,
                                     0x7ff8000012345678,
                                     0x7ff4000000000000,
                                     0x0004000000000000,
                                     0x0003ffffffffffff,
                                     0x7fd0000000000000,
                                     0x3810000000000000,
                                     0x380fffffffffffff,
                                     0x36a0000000000000,
                                     0x3690000000000000,
                                     0x47efffffefffffff,
                                     0x47effffff0000000,
                                     0x3f10000000000000,
                                     0x40effe0000000000,
                                     0x3e70000000000000,
                                     ~u64{0},
                                     64};
  std::mt19937_64 random_;
};

void fill(Machine& m, Operands& operands) {
  m.reset();
  for (u16 i = 0; i < 12; ++i) m.set_slot(i, {operands.integer(), 0});
  for (u16 i = 0; i < 12; ++i) m.set_slot(static_cast<u16>(arm::slot::kV0 + i), operands.vector());
  m.set_slot(arm::slot::kFlags, {operands.random()() & 0xff01, 0});
  m.set_rounding(static_cast<ir::Round>(operands.random()() % 4));
  m.set_fp_status(operands.random()() % 4 == 0 ? static_cast<u32>(operands.random()() & 0x3f) : 0);
}

void copy(Machine& to, Machine& from) {
  std::memcpy(to.state().data(), from.state().data(), from.state().size());
  to.context().mxcsr = from.context().mxcsr;
  to.context().fp_extra = from.context().fp_extra;
}

bool is_flags(const Machine& m, ir::SlotId s) {
  return m.layout().slots[s].type == ir::Type::Flags;
}

U128 visible(Machine& m, ir::SlotId s) {
  const U128 v = m.slot(s);
  return is_flags(m, s) ? U128{ir::nzcv_from_flags(v.lo), 0} : v;
}

/// A result lane that is the least normal number: only there may the tiers disagree on Underflow, because the host
/// looks for tiny results after rounding (docs/ir.md).
bool made_least_normal(const Machine& m) {
  return has_least_normal(m.slot(arm::slot::kV0 + ops::kVectorResult)) ||
         (m.slot(ops::kIntResult).lo & 0x7fff) == 0x0400;  // FToHalf
}

class Comparison {
 public:
  Comparison(const backend::HostFeatures& features, u64 seed)
      : frontend_(arm::make_a64_frontend()),
        tier_(frontend_->layout(), features),
        interp_(*frontend_),
        x64_(*frontend_),
        start_(*frontend_),
        operands_(seed) {
    const char* rounds = std::getenv("TIERCEL_OPS_ROUNDS");
    rounds_ = rounds != nullptr ? std::max(1, std::atoi(rounds)) : 1;
  }

  void run() {
    for (unsigned shape = 0; shape < kShapes; ++shape)
      for_each_op(frontend_->layout().slots, static_cast<Shape>(shape), operands_.random(),
                  [&](ir::Opcode op, const ir::Function& f) { one(op, f); });
    fmt::print("{} functions, {} runs\n", functions_, runs_);
    for (const auto& [op, count] : failures_)
      ADD_FAILURE() << ir::info(op).text << ": " << count << " functions differ";
  }

 private:
  void one(ir::Opcode op, const ir::Function& f) {
    ++functions_;
    tier_.compile(f);
    for (int i = 0; i < kOperandSets * rounds_; ++i) {
      ++runs_;
      fill(start_, operands_);
      start_.context().mxcsr = start_mxcsr(f.fp, start_.context().mxcsr);
      copy(interp_, start_);
      copy(x64_, start_);
      interp_.interpret(f);
      tier_.run(x64_);
      if (agree(f.fp)) continue;
      if (failures_[op]++ < kShown) report(f);
      return;
    }
  }

  bool status_agrees(ir::FpRules rules) const {
    const u32 difference = interp_.fp_status() ^ x64_.fp_status();
    const bool only_interp_underflows =
        difference == ir::fpstatus::kUnderflow && (x64_.fp_status() & ir::fpstatus::kUnderflow) == 0;
    return difference == 0 || (!rules.flush && only_interp_underflows && made_least_normal(interp_));
  }
  bool agree(ir::FpRules rules) {
    for (ir::SlotId s = 0; s < interp_.layout().slots.size(); ++s)
      if (!(visible(interp_, s) == visible(x64_, s))) return false;
    return status_agrees(rules);
  }

  void report(const ir::Function& f) {
    std::string text = ir::print(f, interp_.layout().slots);
    const auto line = [&](std::string_view what, std::string_view slot, const U128& v) {
      text += fmt::format("  {:6} {:5} {:016x}_{:016x}\n", what, slot, v.hi, v.lo);
    };
    for (const ir::Inst& inst : f.insts)
      if (inst.op == ir::Opcode::Get)
        line("in", interp_.layout().slots[inst.slot()].name, visible(start_, inst.slot()));
    for (ir::SlotId s = 0; s < interp_.layout().slots.size(); ++s) {
      if (visible(interp_, s) == visible(x64_, s)) continue;
      line("interp", interp_.layout().slots[s].name, visible(interp_, s));
      line("x64", interp_.layout().slots[s].name, visible(x64_, s));
    }
    text += fmt::format("  mxcsr in {:#x}, status in {:#x}, interp {:#x}, x64 {:#x}\n{}", start_.context().mxcsr,
                        start_.fp_status(), interp_.fp_status(), x64_.fp_status(), tier_.listing(f));
    fmt::print("{}\n", text);
  }

  static constexpr int kOperandSets = 12;
  static constexpr unsigned kShown = 2;

  std::unique_ptr<guest::Frontend> frontend_;
  X64Tier tier_;
  Machine interp_, x64_, start_;
  Operands operands_;
  int rounds_ = 1;
  u64 functions_ = 0, runs_ = 0;
  std::map<ir::Opcode, unsigned> failures_;
};

TEST(Ops, OnThisHost) {
  Comparison(backend::HostFeatures::detect(), 1).run();
}
TEST(Ops, WithoutAvx512) {
  Comparison(without_avx512(), 2).run();
}
TEST(Ops, OnTheLeastHost) {
  Comparison(least_features(), 3).run();
}

}  // namespace
}  // namespace tiercel::test
