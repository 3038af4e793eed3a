#include "engine/fault_rate.h"

#include <gtest/gtest.h>

namespace tiercel::engine {
namespace {

/// How many faults it takes, one each `ns`; 0: a hundred thousand are not enough.
u32 faults_until_too_many(u64 ns) {
  FaultRate rate;
  for (u32 i = 1; i <= 100'000; ++i)
    if (rate.add(1'000'000 + i * ns)) return i;
  return 0;
}

TEST(FaultRate, ManyFaultsAreTooManyOnlyInAShortTime) {
  EXPECT_EQ(faults_until_too_many(100), FaultRate::kFaults + 1);
  EXPECT_EQ(faults_until_too_many(9'900), FaultRate::kFaults + 1);
  EXPECT_EQ(faults_until_too_many(10'000), 0u);
  EXPECT_EQ(faults_until_too_many(1'000'000'000), 0u);
}

TEST(FaultRate, LooksAgainAfterAQuietTime) {
  FaultRate rate;
  u64 now = 5;
  for (u32 i = 0; i < 1000; ++i) EXPECT_FALSE(rate.add(now += 20'000));
  u32 faults = 1;
  while (!rate.add(now += 100) && faults < 1000) ++faults;
  EXPECT_LE(faults, 2 * FaultRate::kFaults + 2);
}

}  // namespace
}  // namespace tiercel::engine
