// The terminal as a serial line, with pipes in its place.
#include "system/host/stdio_port.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tiercel::system {
namespace {

struct Line {
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
  int in[2], out[2];
  std::string keys;
  std::unique_ptr<StdioPort> port;
  int changes = 0;
  Line() {
    EXPECT_EQ(pipe(in), 0);
    EXPECT_EQ(pipe(out), 0);
    port = std::make_unique<StdioPort>(*loop, in[0], out[1], [this](char key) {
      keys += key;
      if (key == 'h') say("help");
      return std::string(key == 's' ? "typed" : "");
    });
    port->on_change([this] { ++changes; });
  }
  ~Line() {
    port.reset();
    for (const int fd : {in[0], in[1], out[0], out[1]}) close(fd);
  }
  void type(const std::string& text) {
    EXPECT_EQ(write(in[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    loop->run_once(0);
  }
  std::string typed() {
    std::string text(port->available(), 0);
    port->read({reinterpret_cast<u8*>(text.data()), text.size()});
    return text;
  }
  std::size_t say(const std::string& text) {
    return port->write({reinterpret_cast<const u8*>(text.data()), text.size()});
  }
};

TEST(StdioPort, PassesBytesAndEscapes) {
  Line line;
  line.type("ls\x03");
  EXPECT_EQ(line.typed(), "ls\x03") << "Ctrl-C is the guest's";
  EXPECT_EQ(line.changes, 1);
  line.type(
      "a\x01\x01"
      "b\x01x\x01");
  line.type("q");
  EXPECT_EQ(line.typed(),
            "a\x01"
            "b");
  EXPECT_EQ(line.keys, "xq");
  line.say("hello");
  line.loop->run_once(0);
  char text[6] = {};
  EXPECT_EQ(read(line.out[0], text, 5), 5);
  EXPECT_STREQ(text, "hello");
}

TEST(StdioPort, AnEscapeMayBeAnsweredOnTheLine) {
  Line line;
  line.type("\x01h");
  line.loop->run_once(0);
  char text[5] = {};
  EXPECT_EQ(read(line.out[0], text, 4), 4);
  EXPECT_STREQ(text, "help");
  line.type("\x01s");
  EXPECT_EQ(line.typed(), "typed");
}

TEST(StdioPort, AReaderThatSleepsFillsTheBuffer) {
  Line line;
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += line.say(std::string(4096, 'x'));
    line.loop->run_once(0);
  }
  EXPECT_LT(taken, 100u * 4096);
  EXPECT_EQ(line.say("y"), 0u);
  EXPECT_EQ(fcntl(line.out[1], F_GETFL) & O_NONBLOCK, 0) << "the descriptor that others share stays as it was";
  std::string text(1 << 20, 0);
  std::size_t got = 0;
  while (got < taken) {
    const ssize_t n = read(line.out[0], text.data(), text.size());
    ASSERT_GT(n, 0);
    got += static_cast<std::size_t>(n);
    line.loop->run_once(0);
  }
  EXPECT_EQ(got, taken);
  EXPECT_GT(line.changes, 0) << "there is room again";
}

TEST(StdioPort, TakesInputThatEpollDoesNot) {
  auto loop = std::move(*EventLoop::create());
  for (const char* name : {"/dev/null", "/dev/zero"}) {
    const int in = open(name, O_RDONLY);
    StdioPort port(*loop, in, STDOUT_FILENO, {});
    EXPECT_EQ(port.available() > 0, std::string(name) == "/dev/zero");
    loop->run_once(0);
    close(in);
  }
}

TEST(StdioPort, GoesOnWithoutAnybodyThere) {
  Line line;
  close(line.in[1]);
  line.loop->run_once(0);
  line.in[1] = dup(0);
  line.say("x");
  line.loop->run_once(0);
}

}  // namespace
}  // namespace tiercel::system
