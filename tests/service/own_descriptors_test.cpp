// What a guest's process can see of work that is done with descriptors of its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <thread>

#include "service/own_descriptors.h"

namespace tiercel::service {
namespace {

constexpr int kRounds = 300;

void open_something(void* raw) {
  close(STDIN_FILENO);
  *static_cast<int*>(raw) = open("/dev/null", O_RDONLY);
}

auto entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

/// What `work` returns in a child.
int in_child(int (*work)()) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(OwnDescriptors, AreGoneAndNeverWereTheProcesss) {
  const auto before = entries("/proc/self/fd");
  int opened = -1;
  ASSERT_TRUE(run_with_own_descriptors(open_something, &opened));
  EXPECT_EQ(opened, STDIN_FILENO);
  EXPECT_EQ(entries("/proc/self/fd"), before);
  EXPECT_GE(fcntl(STDIN_FILENO, F_GETFD), 0);
}

TEST(OwnDescriptors, NoWaitSeesTheThread) {
  std::atomic<bool> stop = false;
  std::thread waits([&stop] {
    while (!stop) {
      EXPECT_EQ(waitpid(-1, nullptr, __WALL), -1);
      EXPECT_EQ(errno, ECHILD);
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    int opened;
    EXPECT_TRUE(run_with_own_descriptors(open_something, &opened));
  }
  stop = true;
  waits.join();
}

TEST(OwnDescriptors, TheThreadIsGoneAfterwards) {
  for (int i = 0; i < kRounds; ++i) {
    int opened;
    ASSERT_TRUE(run_with_own_descriptors(open_something, &opened));
    ASSERT_EQ(entries("/proc/self/task"), 1);
  }
}

TEST(OwnDescriptors, NeverBecomeTheFirstProcessOfANamespace) {
  const int status = in_child([] {
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0) return 77;
    int opened;
    if (run_with_own_descriptors(open_something, &opened)) return 1;
    return in_child([] { return getpid() == 1 ? 42 : 2; });
  });
  if (status == 77) GTEST_SKIP() << "no namespaces for this user";
  EXPECT_EQ(status, 42);
}

}  // namespace
}  // namespace tiercel::service
