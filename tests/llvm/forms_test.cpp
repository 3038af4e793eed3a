// What has no host form in regions and goes through ir::eval, slowly: nothing joins this list unnoticed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "frontend-arm/a64_frontend.h"
#include "ir/opcode.h"
#include "tests/diff/ops_cases.h"
#include "tests/llvm/harness.h"

namespace tiercel::test {
namespace {

struct Count {
  unsigned evaluated = 0, all = 0;
};

/// Of one kind of host, whatever this one is: opcodes with the number of their forms that call ir::eval, of how many.
std::string evaluated(const backend::HostFeatures& features) {
  const auto frontend = arm::make_a64_frontend();
  backend::VmLayout layout;
  layout.slots = frontend->layout().slots;
  layout.state_size = frontend->layout().state_size;
  layout.pc_offset = frontend->layout().pc_offset;
  std::map<ir::Opcode, Count> counts;
  std::mt19937_64 random(1);
  for_each_op(a64_slots(), Shape::Plain, random, [&](ir::Opcode op, const ir::Function& f) {
    ir::Region region;
    region.blocks.push_back(f);
    Count& c = counts[op];
    ++c.all;
    for (const ir::Opcode slow : backend::evaluated_insts(region, layout, features)) c.evaluated += slow == op;
  });
  std::string text;
  for (const auto& [op, c] : counts)
    if (c.evaluated != 0) text += fmt::format("{} {}/{}\n", ir::info(op).text, c.evaluated, c.all);
  return text;
}

backend::HostFeatures avx2_host() {
  backend::HostFeatures f;
  f.avx = f.avx2 = f.bmi1 = f.bmi2 = f.lzcnt = f.fma = f.f16c = f.aes = f.pclmul = f.sha = true;
  return f;
}

backend::HostFeatures avx512_host() {
  backend::HostFeatures f = avx2_host();
  f.avx512vl = f.avx512vbmi = f.avx512bitalg = f.gfni = f.vpclmul = true;
  return f;
}

TEST(WithoutForm, OnAHostWithAvx512) {
  EXPECT_EQ(evaluated(avx512_host()), R"(crc32 7/7
fmulx 24/24
frint 24/288
frecipe 24/24
frsqrte 24/24
frecips 24/24
frsqrts 24/24
frecipx 24/24
fcvt 4/12
ffromhalf 12/16
ftohalf 15/16
ftoint 768/1824
vfcvtup 10/16
vfcvtdown 19/24
vpmul 2/2
vpmull 1/2
vurecpe 2/2
vursqrte 2/2
vqaddsu 16/16
vqaddus 16/16
vqrdmlah 8/8
vqrdmlsh 8/8
)");
}
TEST(WithoutForm, OnAHostWithAvx2) {
  EXPECT_EQ(evaluated(avx2_host()), R"(crc32 7/7
flags.fcmp 8/16
fadd 12/24
fsub 12/24
fmul 12/24
fmulx 24/24
fdiv 12/24
fmuladd 12/24
fsqrt 12/24
fmax 12/24
fmin 12/24
fmaxnm 12/24
fminnm 12/24
frint 156/288
frecipe 24/24
frsqrte 24/24
frecips 24/24
frsqrts 24/24
frecipx 24/24
vfcmpeq 12/24
vfcmpge 12/24
vfcmpgt 12/24
fcvt 8/12
ffromhalf 12/16
ftohalf 15/16
ftoint 1320/1824
inttof 1248/1824
vfcvtup 10/16
vfcvtdown 19/24
vpmul 2/2
vpmull 1/2
vurecpe 2/2
vursqrte 2/2
vqaddsu 16/16
vqaddus 16/16
vqrdmlah 8/8
vqrdmlsh 8/8
)");
}

}  // namespace
}  // namespace tiercel::test
