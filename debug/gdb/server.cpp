#include "debug/gdb/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

namespace tiercel::debug::gdb {
namespace {

constexpr std::size_t kMaxArrived = 1 << 20;  // what a debugger may send ahead

}  // namespace

struct Server::Connection {
  int socket;
  Stub stub;
  PacketReader reader;
  std::string last;       // for a debugger that did not understand it
  bool running = true;    // the guest; until the first stop nothing is answered
  bool attaching = true;  // nobody waits for the first stop
  bool executed = false;  // ... but to hear of the program that is new

  bool send(std::string_view payload) {
    last = frame(payload);
    return send_all(socket, last);
  }
};

void Server::run() {
  for (;;) {
    const std::unique_ptr<const Handover> before = std::move(before_);
    const int fd = before ? before->connection : listener_.accept();
    {
      const std::lock_guard guard(mutex_);
      if (fd < 0 || stopping_) {
        if (fd >= 0) close(fd);
        return;
      }
      socket_ = fd;
      arrived_.clear();
      closed_ = false;
    }
    std::thread reader([this, fd] { read_all(fd); });
    serve(fd, before.get());
    shutdown(fd, SHUT_RDWR);
    reader.join();
    const std::lock_guard guard(mutex_);
    socket_ = -1;
    changed_.notify_all();  // hand_over
    close(fd);
    if (stopping_ || over_) return;
  }
}

void Server::stop() {
  const std::lock_guard guard(mutex_);
  stopping_ = true;
  listener_.shut_down();
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
  changed_.notify_all();
}

void Server::notify() {
  const std::lock_guard guard(mutex_);
  noted_ = true;
  changed_.notify_all();
}

void Server::read_all(int fd) {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_.size() < kMaxArrived || stopping_ || n <= 0; });
    if (n <= 0 || stopping_) {
      closed_ = true;
      changed_.notify_all();
      return;
    }
    arrived_.append(buffer.data(), static_cast<std::size_t>(n));
    changed_.notify_all();
  }
}

bool Server::is_asked(const Connection& c) const {
  return request_ && !request_->done && c.running && !c.attaching;
}

/// False: nobody is there any more.
bool Server::wait_for_work(Connection& c) {
  std::unique_lock lock(mutex_);
  // What arrives before the guest has stopped for this debugger waits.
  changed_.wait(lock,
                [&] { return (!arrived_.empty() && !c.attaching) || noted_ || closed_ || stopping_ || is_asked(c); });
  noted_ = false;
  if (stopping_ || (closed_ && c.attaching)) return false;
  if (c.attaching) return true;
  const bool news = !arrived_.empty();
  c.reader.feed(arrived_);
  arrived_.clear();
  changed_.notify_all();
  return news || !closed_;
}

bool Server::tell_event(Connection& c) {
  std::optional<StopEvent> event = target_.take_event();
  if (!event) return true;
  c.running = false;
  if (c.executed && !event->is_end()) event->kind = StopEvent::Kind::Executed;
  const bool unasked = c.attaching && !std::exchange(c.executed, false) && !event->is_end();
  const std::string reply = c.stub.stop_reply(*event);
  const bool told = unasked || c.send(reply);
  c.attaching = false;
  if (!event->is_end()) return told;
  listener_.remove_file();
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  target_.end_is_known();
  return false;
}

bool Server::act_on(Connection& c, PacketReader::Kind kind) {
  switch (kind) {
    case PacketReader::Kind::Interrupt:
      if (c.running) target_.interrupt();
      return true;
    case PacketReader::Kind::Resend:
      return send_all(c.socket, c.last);
    case PacketReader::Kind::Damaged:
      return !c.stub.acknowledges() || send_all(c.socket, "-");
    case PacketReader::Kind::Packet: {
      if (c.stub.acknowledges() && !send_all(c.socket, "+")) return false;
      if (c.running) return c.send("E.the guest runs");
      const std::optional<std::string> answer = c.stub.answer(c.reader.payload());
      if (!answer) c.running = true;
      const bool sent = !answer || c.send(*answer);
      if (c.stub.kills()) target_.kill();
      return sent && !c.stub.ended();
    }
    default:
      return false;
  }
}

bool Server::hand_over(const std::function<bool(Handover&)>& give) {
  Request request{.give = give};
  std::unique_lock lock(mutex_);
  request_ = &request;
  changed_.notify_all();
  changed_.wait(lock, [&] { return request.done || socket_ < 0 || stopping_; });
  request_ = nullptr;
  return request.given;
}

void Server::hand_over_if_asked(const Connection& c) {
  const std::lock_guard guard(mutex_);
  if (!is_asked(c)) return;
  if (c.stub.follows_programs()) {
    Handover handover = c.stub.handover();
    handover.listener = listener_.descriptor();
    handover.connection = c.socket;
    handover.where = listener_.where();
    handover.file = listener_.file();
    request_->given = request_->give(handover);
  }
  request_->done = true;
  changed_.notify_all();
}

void Server::serve(int fd, const Handover* before) {
  Connection c{.socket = fd, .stub = before ? Stub(target_, *before) : Stub(target_), .reader = {}, .last = {}};
  c.executed = before != nullptr;
  target_.attach();
  bool goes_on = true;
  while (goes_on) {
    goes_on = tell_event(c);
    if (goes_on) hand_over_if_asked(c);
    goes_on = goes_on && wait_for_work(c);
    while (goes_on && !c.attaching) {
      const PacketReader::Kind kind = c.reader.next();
      if (kind == PacketReader::Kind::None) break;
      goes_on = act_on(c, kind);
    }
  }
  // After the answer: the guest may end at once, and everything with it.
  if (!c.stub.kills()) target_.detach();
}

}  // namespace tiercel::debug::gdb
