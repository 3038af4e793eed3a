#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "user/run_options.h"
#include "user/syscalls/abi.h"
#include "user/syscalls/dispatch.h"

namespace tiercel::user {
namespace {

TEST(SystemCalls, TheTableIsSound) {
  std::set<unsigned> numbers;
  for (const SystemCallRow& row : system_call_rows()) {
    EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
    EXPECT_EQ(&system_call_row(row.number), &row) << row.name;
    EXPECT_LE(std::strlen(row.format), 6u) << row.name;
    const bool has_handler = row.handler != nullptr;
    EXPECT_EQ(has_handler, row.cls == CallClass::Convert || row.cls == CallClass::Emulate) << row.name;
    EXPECT_EQ(row.host_number >= 0, row.cls == CallClass::Pass) << row.name;
  }
  EXPECT_GT(numbers.size(), 290u);
  EXPECT_EQ(system_call_row(~u64{0}).name, nullptr);
  EXPECT_EQ(system_call_row(250).name, nullptr);
  EXPECT_STREQ(system_call_row(63).name, "read");
}

TEST(SystemCalls, OpenFlagsTranslateBothWays) {
  EXPECT_EQ(abi::host_open_flags(040000), 0200000u);   // O_DIRECTORY
  EXPECT_EQ(abi::host_open_flags(0100000), 0400000u);  // O_NOFOLLOW
  EXPECT_EQ(abi::host_open_flags(0200000), 040000u);   // O_DIRECT
  EXPECT_EQ(abi::host_open_flags(0400000), 0100000u);  // O_LARGEFILE
  for (u64 flags = 0; flags < 0x2000000; flags += 0x333)
    EXPECT_EQ(abi::guest_open_flags(abi::host_open_flags(flags)), flags);
}

TEST(RunOptions, SurvivePacking) {
  RunOptions options;
  options.root = "/a root,with=everything";
  options.root_strict = true;
  options.stats = options.engine.stats = true;
  options.stack_bytes = 1 << 20;
  options.engine.tier = engine::Tier::Interp;
  options.engine.chaos_seed = 99;
  options.engine.dump.ir = true;
  options.engine.dump.only = {1, 0x4000};
  RunOptions copy;
  ASSERT_TRUE(copy.unpack(options.pack()));
  EXPECT_EQ(copy.pack(), options.pack());
  EXPECT_EQ(copy.root, options.root);
  EXPECT_EQ(copy.engine.dump.only, options.engine.dump.only);
  EXPECT_FALSE(copy.unpack("nonsense"));
  EXPECT_FALSE(copy.unpack("tier=fast"));
  EXPECT_FALSE(copy.unpack("what=1,root="));
}

}  // namespace
}  // namespace tiercel::user
