// A serial line on a socket.
#include "system/host/socket_port.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <memory>
#include <string>

namespace tiercel::system {
namespace {

/// A listener without a name in the file system.
struct Line {
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
  Descriptor listener{socket(AF_UNIX, SOCK_STREAM, 0)};
  sockaddr_un address = {};
  std::unique_ptr<SocketPort> port;
  int changes = 0;
  Line() {
    address.sun_family = AF_UNIX;
    EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    socklen_t size = sizeof address;
    getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_size = size;
    EXPECT_EQ(listen(listener.get(), 4), 0);
    port = std::make_unique<SocketPort>(*loop, listener.get());
    port->on_change([this] { ++changes; });
  }
  socklen_t address_size = 0;
  Descriptor call() {
    Descriptor s(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(connect(s.get(), reinterpret_cast<sockaddr*>(&address), address_size), 0);
    turn();
    return s;
  }
  void turn() {
    for (int i = 0; i < 4; ++i) loop->run_once(0);
  }
  void say(const std::string& text) {
    EXPECT_EQ(port->write({reinterpret_cast<const u8*>(text.data()), text.size()}), text.size());
    turn();
  }
  std::string typed() {
    std::string text(port->available(), 0);
    port->read({reinterpret_cast<u8*>(text.data()), text.size()});
    return text;
  }
};

std::string hear(const Descriptor& s) {
  std::string text(1 << 20, 0);
  const ssize_t n = recv(s.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

TEST(SocketPort, TalksToOneAfterTheOther) {
  Line line;
  line.say("before anybody came");
  Descriptor first = line.call();
  EXPECT_EQ(hear(first), "before anybody came");
  EXPECT_EQ(send(first.get(), "ls\n", 3, 0), 3);
  line.turn();
  EXPECT_EQ(line.typed(), "ls\n");
  EXPECT_EQ(line.changes, 1);
  Descriptor second = line.call();
  line.say("to the first");
  EXPECT_EQ(hear(first), "to the first");
  EXPECT_EQ(hear(second), "");
  first = Descriptor();
  line.turn();
  line.say("to the second");
  EXPECT_EQ(hear(second), "to the second");
}

TEST(SocketPort, KeepsTheLatestForWhoComes) {
  Line line;
  for (int i = 0; i < 100; ++i) line.say(std::string(4096, static_cast<char>('a' + i % 26)));
  std::string heard;
  const Descriptor client = line.call();
  for (std::string piece; !(piece = hear(client)).empty(); line.turn()) heard += piece;
  EXPECT_EQ(heard.size(), 64u << 10);
  EXPECT_EQ(heard.back(), 'a' + 99 % 26);
}

}  // namespace
}  // namespace tiercel::system
