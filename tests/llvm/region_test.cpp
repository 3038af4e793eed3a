// Hand-written regions: loops, calls and returns, indirect branches, faults in the middle, interrupts.
#include <gtest/gtest.h>

#include <cstring>

#include "ir/parser.h"
#include "ir/verifier.h"
#include "tests/llvm/harness.h"

namespace tiercel::test {
namespace {

using backend::RegionExit;
using Kind = RegionExit::Kind;

ir::Region region(std::initializer_list<const char*> blocks, std::vector<ir::IndirectEdge> edges = {}) {
  ir::Region r;
  for (const char* text : blocks) {
    auto f = ir::parse(text, a64_slots());
    if (!f) {
      ADD_FAILURE() << f.error().message << " in " << text;
      continue;
    }
    for (const std::string& wrong : ir::verify(*f, a64_slots())) ADD_FAILURE() << wrong;
    r.blocks.push_back(*f);
  }
  r.edges = std::move(edges);
  return r;
}

class Regions : public testing::Test {
 protected:
  /// Compiles and runs from tester.start(); both ways must agree.
  void check(const ir::Region& r) {
    ASSERT_EQ(tester.compile(r), "");
    rerun(r);
  }
  void rerun(const ir::Region& r) {
    const std::string wrong = tester.run(r);
    EXPECT_EQ(wrong, "") << (wrong.empty() ? "" : tester.describe(r));
  }
  arm::A64State& before() { return tester.start().state(); }
  arm::A64State& after() { return tester.result().state(); }

  RegionTester tester;
};

// x0 = sum of the x1 words at x2.
constexpr const char* kSumLoop = R"(block(pc=0x1000, end=0x1010):
  insn 0x1000
  %0 = get x2
  %1 = load.i64 %0
  %2 = add.i64 %0, 8
  set x2, %2
  insn 0x1004
  %3 = get x0
  %4 = add.i64 %3, %1
  set x0, %4
  insn 0x1008
  %5 = get x1
  %6 = flags.sub %5, 1
  set nzcv, %6
  %7 = sub.i64 %5, 1
  set x1, %7
  insn 0x100c
  %8 = flags.cond %6, ne
  branch %8, 0x1000, 0x1010
)";

TEST_F(Regions, SumLoop) {
  before().x[1] = 100;
  before().x[2] = tester.guest_memory();
  for (u64 i = 0; i < 100; ++i) std::memcpy(tester.start_memory() + 8 * i, &i, 8);
  check(region({kSumLoop}));
  EXPECT_EQ(after().x[0], 4950u);
  EXPECT_EQ(tester.exit(), (RegionExit{Kind::Direct, 0x1010}));
}

TEST_F(Regions, FaultInALoopShowsTheStateOfItsInsn) {
  before().x[1] = 100;
  before().x[2] = tester.guest_memory() + RegionTester::kMemorySize - 16;
  check(region({kSumLoop}));
  EXPECT_EQ(tester.exit(), (RegionExit{Kind::Fault, 0x1000}));
  EXPECT_EQ(after().x[1], 98u);
}

TEST_F(Regions, InterruptInALoop) {
  before().x[1] = 100;
  before().x[2] = tester.guest_memory();
  tester.start().context().exit_request = 1;
  check(region({kSumLoop}));
  EXPECT_EQ(tester.exit(), (RegionExit{Kind::Interrupt, 0x1000}));
  EXPECT_EQ(after().x[1], 99u);
}

// Two constants cancel: the sign of the zero is the rounding mode's business, not the compiler's.
TEST_F(Regions, ConstantsThatCancelWhenRoundingDown) {
  before().fpcr = 2u << 22;
  tester.start().context().mxcsr = 0x1f80 | 1 << 13;
  check(region({R"(block(pc=0x1000, end=0x1004):
  insn 0x1000
  %0 = vconst 0x3f8000003f8000003f8000003f800000
  %1 = fsub.s4 %0, %0
  set v0, %1
  %2 = fadd.f64 0x3ff0000000000000, 0xbff0000000000000
  set v1, %2
  jump 0x1004
)"}));
  EXPECT_EQ(after().v[0], (U128{0x8000000080000000, 0x8000000080000000}));
  EXPECT_EQ(after().v[1].lo, u64{1} << 63);
}

// Nobody asks for the flags, and the exceptions were written before: the comparison raises its own all the same.
TEST_F(Regions, ComparisonWithoutUseBehindWrittenExceptions) {
  before().v[0] = {0x7ff8000000000000, 0};
  check(region({R"(block(pc=0x1000, end=0x1004):
  insn 0x1000
  set.fpstatus 0
  %0 = get.f64 v0
  %1 = flags.fcmp %0, %0, 1
  jump 0x1004
)"}));
  EXPECT_EQ(tester.result().context().mxcsr & 1, 1u);
}

// Adds x2 to x0 and goes on at x1.
constexpr const char* kAddAndGo = R"(block(pc=0x2000, end=0x2008):
  insn 0x2000
  %0 = get x0
  %1 = get x2
  %2 = add.i64 %0, %1
  set x0, %2
  insn 0x2004
  %3 = get x1
  jumpind %3
)";
constexpr const char* kAddTwice = R"(block(pc=0x3000, end=0x3008):
  insn 0x3000
  %0 = get x0
  %1 = add.i64 %0, %0
  set x0, %1
  insn 0x3004
  jump 0x5000
)";
constexpr const char* kDecrement = R"(block(pc=0x4000, end=0x4008):
  insn 0x4000
  %0 = get x0
  %1 = sub.i64 %0, 1
  set x0, %1
  insn 0x4004
  jump 0x6000
)";

TEST_F(Regions, AnIndirectBranchStaysInsideAlongItsEdgesOnly) {
  const ir::Region r = region({kAddAndGo, kAddTwice, kDecrement}, {{0, 90, 0x3000}, {0, 10, 0x4000}});
  before().x[0] = 5;
  before().x[2] = 2;
  before().x[1] = 0x3000;
  check(r);
  EXPECT_EQ(after().x[0], 14u);
  EXPECT_EQ(tester.exit(), (RegionExit{Kind::Direct, 0x5000}));
  before().x[1] = 0x4000;
  rerun(r);
  EXPECT_EQ(after().x[0], 6u);
  before().x[1] = 0x4004;
  rerun(r);
  EXPECT_EQ(after().x[0], 7u);
  EXPECT_EQ(tester.exit().kind, Kind::Indirect);
}

}  // namespace
}  // namespace tiercel::test
