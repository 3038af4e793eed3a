#include "debug/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

namespace tiercel::debug {
namespace {

std::string refused(const std::string& where) {
  const Result<Listener> listener = Listener::open("--gdb", where);
  return listener ? "(listens)" : listener.error().message;
}

TEST(Listener, SaysWhatIsWrong) {
  EXPECT_EQ(refused("1234"), "--gdb: '1234' is not tcp:PORT, tcp:ADDRESS:PORT or unix:PATH");
  EXPECT_EQ(refused("tcp:x"), "--gdb: tcp:x: 'x' is not a port");
  EXPECT_EQ(refused("tcp:"), "--gdb: tcp:: '' is not a port");
  EXPECT_EQ(refused("tcp:65536"), "--gdb: tcp:65536: '65536' is not a port");
  EXPECT_EQ(refused("tcp:name:1"), "--gdb: tcp:name:1: 'name' is not an address like 127.0.0.1 or [::1]");
  EXPECT_EQ(refused("unix:"), "--gdb: unix:: the name of a socket has 1 to 107 bytes");
  EXPECT_EQ(refused("unix:/nowhere/gdb"), "--gdb: unix:/nowhere/gdb: No such file or directory");
  EXPECT_EQ(refused("unix:/" + std::string(107, 'x')).substr(0, 12), "--gdb: unix:");
}

TEST(Listener, PortsInUse) {
  const Result<Listener> first = Listener::open("--gdb", "tcp:0");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->where().substr(0, 14), "tcp:127.0.0.1:");
  EXPECT_NE(first->where(), "tcp:127.0.0.1:0");
  EXPECT_EQ(refused(first->where()), "--gdb: " + first->where() + ": Address already in use");
  EXPECT_EQ(refused("tcp:0.0.0.0:0"), "(listens)");
}

TEST(Listener, LocalSocketsLeaveNothingBehind) {
  char directory[] = "/tmp/tiercel-listener-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/s", where = "unix:" + path;
  struct stat info;
  {
    Result<Listener> first = Listener::open("--gdb", where);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(refused(where), "--gdb: " + where + ": Address already in use");
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    std::thread stopper([&] { first->shut_down(); });
    EXPECT_EQ(first->accept(), -1);
    stopper.join();
    // As when its process was killed: the file stays.
    ASSERT_EQ(link(path.c_str(), (path + "2").c_str()), 0);
  }
  EXPECT_NE(stat(path.c_str(), &info), 0);
  EXPECT_EQ(refused(where + "2"), "(listens)");
  // A file is never taken for a socket.
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  close(fd);
  EXPECT_EQ(refused(where), "--gdb: " + where + ": Address already in use");
  EXPECT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(rmdir(directory), 0);
}

}  // namespace
}  // namespace tiercel::debug
