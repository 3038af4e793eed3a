// The stub's wires: one debugger at a time, on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "debug/gdb/handover.h"
#include "debug/gdb/packet.h"
#include "debug/gdb/stub.h"
#include "debug/listener.h"

namespace tiercel::debug::gdb {

class Server {
 public:
  Server(Listener listener, Target& target) : listener_(std::move(listener)), target_(target) {}
  /// Goes on with the debugger of another one, whose guest has executed the program that is now the target.
  Server(const Handover& before, Target& target)
      : listener_(Listener::adopt(before.listener, before.where, before.file)),
        target_(target),
        before_(std::make_unique<Handover>(before)) {}

  /// Serves one debugger after the other until the guest's end is known to one, or stop is called. A debugger that
  /// vanishes has detached.
  void run();
  /// Makes run return. Any thread.
  void stop();
  /// Something about Target::take_event may have changed. Any thread.
  void notify();
  Listener& listener() { return listener_; }
  /// The guest is about to execute another program, and stands still. If there is a debugger that follows it there, and
  /// once it lets the guest run, calls `give` on the server's thread, and says what that says. The server goes on as if
  /// nothing had been. One thread at a time.
  bool hand_over(const std::function<bool(Handover&)>& give);

 private:
  struct Connection;
  struct Request {
    const std::function<bool(Handover&)>& give;
    bool done = false, given = false;
  };
  void read_all(int fd);
  void serve(int fd, const Handover* before);
  /// False: the conversation is over.
  bool act_on(Connection& connection, PacketReader::Kind kind);
  bool tell_event(Connection& connection);
  bool wait_for_work(Connection& connection);
  bool is_asked(const Connection& connection) const;
  void hand_over_if_asked(const Connection& connection);

  Listener listener_;
  Target& target_;
  std::unique_ptr<const Handover> before_;  // until it is served
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::string arrived_;
  bool noted_ = false, closed_ = false, stopping_ = false, over_ = false;
  int socket_ = -1;
  Request* request_ = nullptr;
};

}  // namespace tiercel::debug::gdb
