#include "debug/rendezvous.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace tiercel::debug {
namespace {

TEST(Rendezvous, MovesDescriptorsBetweenTables) {
  const std::optional<Rendezvous> here = Rendezvous::open();
  ASSERT_TRUE(here);
  std::array<int, 2> ends = {-1, -1};
  bool given = false;
  std::thread other([&] {
    ASSERT_EQ(unshare(CLONE_FILES), 0);
    std::array<int, 2> own;
    ASSERT_EQ(pipe2(own.data(), O_CLOEXEC), 0);
    EXPECT_FALSE(here->give({}));
    given = here->give(own);
  });
  other.join();
  ASSERT_TRUE(given);
  ASSERT_TRUE(here->take(ends));
  EXPECT_EQ(fcntl(ends[0], F_GETFD), 0);
  char byte = 'x';
  EXPECT_EQ(write(ends[1], &byte, 1), 1);
  byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  for (const int fd : ends) close(fd);
}

TEST(Rendezvous, TakesAllOrNone) {
  const std::optional<Rendezvous> here = Rendezvous::open();
  ASSERT_TRUE(here);
  const std::array<int, 1> one = {0};
  ASSERT_TRUE(here->give(one));
  std::array<int, 3> three;
  EXPECT_FALSE(here->take(three));
}

}  // namespace
}  // namespace tiercel::debug
