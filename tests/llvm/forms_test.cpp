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
fmulx 36/36
frint 36/432
frecipe 36/36
frsqrte 36/36
frecips 36/36
frsqrts 36/36
frecipx 36/36
fcvt 6/18
ffromhalf 20/24
ftohalf 23/24
ftoint 1104/2736
vfcvtup 14/24
vfcvtdown 27/36
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
flags.fcmp 8/24
fadd 12/36
fsub 12/36
fmul 12/36
fmulx 36/36
fdiv 12/36
fmuladd 12/36
fsqrt 12/36
fmax 12/36
fmin 12/36
fmaxnm 12/36
fminnm 12/36
frint 168/432
frecipe 36/36
frsqrte 36/36
frecips 36/36
frsqrts 36/36
frecipx 36/36
vfcmpeq 12/36
vfcmpge 12/36
vfcmpgt 12/36
fcvt 10/18
ffromhalf 20/24
ftohalf 23/24
ftoint 1728/2736
inttof 1584/2736
vfcvtup 14/24
vfcvtdown 27/36
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
