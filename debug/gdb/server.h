// The stub's wires: one debugger at a time, on a thread of its own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "debug/gdb/packet.h"
#include "debug/gdb/stub.h"
#include "debug/listener.h"

namespace tiercel::debug::gdb {

class Server {
 public:
  Server(Listener listener, Target& target) : listener_(std::move(listener)), target_(target) {}

  /// Serves one debugger after the other until the guest's end is known to one, or stop is called. A debugger that
  /// vanishes has detached.
  void run();
  /// Makes run return. Any thread.
  void stop();
  /// Something about Target::take_event may have changed. Any thread.
  void notify();
  Listener& listener() { return listener_; }

 private:
  struct Connection;
  void read_all(int fd);
  void serve(int fd);
  /// False: the conversation is over.
  bool act_on(Connection& connection, PacketReader::Kind kind);
  bool tell_event(Connection& connection);
  bool wait_for_work(Connection& connection);

  Listener listener_;
  Target& target_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::string arrived_;
  bool noted_ = false, closed_ = false, stopping_ = false, over_ = false;
  int socket_ = -1;
};

}  // namespace tiercel::debug::gdb
