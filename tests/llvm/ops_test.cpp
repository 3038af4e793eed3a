// Every pure opcode as LLVM compiles it against the interpreter. Many one-op functions are blocks of one region, behind
// a block that jumps to one of them. TIERCEL_REGION_OPS=n takes every n-th function only (default 8; 1: all).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "ir/printer.h"
#include "tests/diff/ops_cases.h"
#include "tests/llvm/harness.h"
#include "tests/support/fp_trap.h"

namespace tiercel::test {
namespace {

constexpr unsigned kBatch = 48, kOperandSets = 3;
constexpr u64 kDispatcher = 0x10, kFirst = 0x1000;
constexpr u16 kTargetSlot = 20;

class Comparison {
 public:
  Comparison(const backend::HostFeatures& features, u64 seed) : tester_(features), random_(seed) {
    if (const char* text = std::getenv("TIERCEL_REGION_OPS")) every_ = std::max(1, std::atoi(text));
  }

  void run() {
    u64 count = seed_offset();
    for (unsigned shape = 0; shape < kShapes; ++shape)
      for_each_op(a64_slots(), static_cast<Shape>(shape), random_, [&](ir::Opcode op, const ir::Function& f) {
        if (count++ % every_ == 0) add(op, f);
      });
    flush();
    fmt::print("{} functions\n", functions_);
    for (const auto& [op, failures] : failures_)
      ADD_FAILURE() << ir::info(op).text << ": " << failures << " functions differ";
  }

 private:
  u64 seed_offset() { return random_() % every_; }

  void add(ir::Opcode op, const ir::Function& f) {
    if (region_.blocks.empty()) start();
    ir::Function block = f;
    block.pc = kFirst + 16 * ops_.size();
    block.end_pc = block.pc + 4;
    for (ir::Inst& inst : block.insts)
      if (inst.op == ir::Opcode::Insn) inst.imm = block.pc;
    region_.edges.push_back({0, 1, block.pc});
    region_.blocks.push_back(std::move(block));
    ops_.push_back(op);
    if (ops_.size() == kBatch) flush();
  }

  void start() {
    ir::Function f;
    f.pc = kDispatcher;
    ir::Inst get{.op = ir::Opcode::Get, .type = ir::Type::I64};
    get.aux = kTargetSlot;
    ir::Inst jump{.op = ir::Opcode::JumpInd};
    jump.args[0] = ir::Value{0};
    f.insts = {get, jump};
    region_.blocks.push_back(std::move(f));
  }

  void flush() {
    if (ops_.empty()) return;
    functions_ += ops_.size();
    const std::string why = tester_.compile(region_);
    ASSERT_EQ(why, "");
    for (std::size_t i = 0; i < ops_.size(); ++i) one(i);
    region_ = {};
    ops_.clear();
  }

  void one(std::size_t i) {
    for (unsigned n = 0; n < kOperandSets; ++n) {
      fill();
      backend::VmContext& c = tester_.start().context();
      c.mxcsr = start_mxcsr(region_.blocks[i + 1].fp, c.mxcsr);
      tester_.start().state().x[kTargetSlot] = region_.edges[i].to;
      const std::string wrong = tester_.run(region_);
      if (wrong.empty()) continue;
      if (failures_[ops_[i]]++ < 2) report(i, wrong);
      return;
    }
  }

  void report(std::size_t i, const std::string& wrong) {
    std::string text = ir::print(region_.blocks[i + 1], a64_slots());
    const arm::A64State& s = tester_.start().state();
    for (unsigned k = 0; k < 4; ++k)
      text += fmt::format("  x{}={:#x} v{}={:016x}_{:016x}\n", k, s.x[k], k, s.v[k].hi, s.v[k].lo);
    fmt::print("{}  mxcsr in {:#x}\n{}\n", text, tester_.start().context().mxcsr, wrong);
  }

  u64 interesting() {
    constexpr u64 kValues[] = {0,
                               1,
                               2,
                               63,
                               0x80,
                               0x7fffffff,
                               0x80000000,
                               0xffffffff,
                               0x3f800000'3f800000,
                               0x7f800000'7fc12345,
                               0xff800000'7fa00000,
                               0x3ff0000000000000,
                               0x7ff0000000000000,
                               0x7ff8000012345678,
                               0x7ff4000000000000,
                               0x0000000000000020,
                               0x000fffffffffffff,
                               0x7fffffffffffffff,
                               0x8000000000000000,
                               0x7c007e0004007c01,
                               0x41dfffffffc00000,
                               0x43e0000000000000,
                               0x4b0000004f000000,
                               ~u64{0}};
    const u64 v = random_() & 1 ? random_() : kValues[random_() % std::size(kValues)];
    return random_() % 8 == 0 ? v ^ u64 { 1 } << 63 : v;
  }

  void fill() {
    arm::A64State& s = tester_.start().state();
    for (u64& x : s.x) x = interesting();
    for (U128& v : s.v) v = {interesting(), interesting()};
    s.flags = static_cast<u32>(random_() & 0xff01);
    backend::VmContext& c = tester_.start().context();
    c.mxcsr = 0x1f80 | static_cast<u32>(random_() % 4) << 13;
    c.fp_extra = 0;
  }

  RegionTester tester_;
  std::mt19937_64 random_;
  ir::Region region_;
  std::vector<ir::Opcode> ops_;
  std::map<ir::Opcode, unsigned> failures_;
  u64 functions_ = 0;
  unsigned every_ = 8;
};

backend::HostFeatures without_avx512() {
  return backend::HostFeatures::detect().limited_to(3);
}

TEST(RegionOps, OnThisHost) {
  Comparison(backend::HostFeatures::detect(), 1).run();
}
TEST(RegionOps, WithoutAvx512) {
  Comparison(without_avx512(), 2).run();
}
TEST(RegionOps, OnTheLeastHost) {
  Comparison({}, 3).run();
}

}  // namespace
}  // namespace tiercel::test
