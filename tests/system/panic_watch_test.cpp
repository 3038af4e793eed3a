// A serial line that is watched for a kernel's last words.
#include <gtest/gtest.h>

#include "system/host/panic_watch.h"
#include "tests/system/fakes.h"

namespace tiercel::system {
namespace {

constexpr const char* kLast = "---[ end Kernel panic - not syncing: Attempted to kill init! ]---\r\n";

class PanicWatchTest : public testing::Test {
 protected:
  void say(std::string_view text) {
    for (const char c : text) ASSERT_EQ(watch.write({reinterpret_cast<const u8*>(&c), 1}), 1u);
  }
  void pass(u64 milliseconds) {
    clock.skip_to(clock.now() + milliseconds * 1'000'000);
    clock.run_due();
  }
  InsnClock clock{1000, 0};
  FakePort line;
  int begun = 0, ended = 0;
  bool spins = true;
  PanicWatch watch{line, clock, {[this] { ++begun; }, [this] { return spins; }, [this] { ++ended; }}};
};

TEST_F(PanicWatchTest, LastWordsAndThenNothing) {
  say("[    1.234567] Kernel panic - not syncing: x\r\n");
  pass(5000);
  EXPECT_EQ(begun, 0);
  say(kLast);
  EXPECT_EQ(begun, 1);
  pass(900);
  EXPECT_FALSE(watch.panicked());
  pass(200);
  EXPECT_TRUE(watch.panicked());
  pass(2000);
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(line.sent.ends_with(kLast)) << "all of it is on the line";
}

TEST_F(PanicWatchTest, WhatPrintkPutsBefore) {
  say(std::string("[    1.234567] [    T1] ") + kLast);
  pass(1100);
  EXPECT_TRUE(watch.panicked());
}

TEST_F(PanicWatchTest, SaidInPassing) {
  say(std::string("it said ") + kLast + std::string("[12") + kLast);
  EXPECT_EQ(begun, 0);
}

TEST_F(PanicWatchTest, SomebodyGoesOn) {
  say(kLast);
  pass(500);
  say("$");
  pass(5000);
  EXPECT_FALSE(watch.panicked());
  spins = false;
  say("\n");
  say(kLast);
  pass(5000);
  EXPECT_FALSE(watch.panicked());
  spins = true;
  say(kLast);
  pass(5000);
  EXPECT_TRUE(watch.panicked());
}

TEST_F(PanicWatchTest, OnlyWhatTheLineTook) {
  line.room = 10;
  const std::string text = kLast;
  EXPECT_EQ(watch.write({reinterpret_cast<const u8*>(text.data()), text.size()}), 10u);
  line.room = 1000;
  say(text.substr(10));
  pass(1100);
  EXPECT_TRUE(watch.panicked());
}

}  // namespace
}  // namespace tiercel::system
