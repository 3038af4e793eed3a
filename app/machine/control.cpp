#include "app/machine/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tiercel::machine {

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(const std::string& where, Controls& controls) {
  Result<debug::Listener> listener = debug::Listener::open("--control", where);
  if (!listener) return tl::unexpected(listener.error());
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(*listener), controls));
}

ControlSocket::~ControlSocket() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    listener_.shut_down();
    if (socket_ >= 0) shutdown(socket_, SHUT_RD);  // what is being said may still be said
  }
  thread_.join();
}

void ControlSocket::run() {
  for (;;) {
    const int fd = listener_.accept();
    if (fd < 0) return;
    serve(fd);
    close(fd);
    const std::lock_guard guard(mutex_);
    if (stopping_) return;
  }
}

void ControlSocket::serve(int fd) {
  Qmp qmp(controls_);
  {
    const std::lock_guard guard(mutex_);
    if (stopping_ || !debug::send_all(fd, Qmp::greeting())) return;
    socket_ = fd;
    qmp_ = &qmp;
  }
  std::array<char, 4096> buffer;
  for (bool goes_on = true; goes_on;) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    // Not under the lock: what is commanded may cause events. They precede the answer.
    const std::string answer = qmp.answer({buffer.data(), static_cast<std::size_t>(n)});
    const std::lock_guard guard(mutex_);
    goes_on = debug::send_all(fd, answer) && !qmp.broken();
  }
  const std::lock_guard guard(mutex_);
  socket_ = -1;
  qmp_ = nullptr;
}

void ControlSocket::event(const char* name, const nlohmann::json& data) {
  const std::lock_guard guard(mutex_);
  if (!qmp_) return;
  if (const std::optional<std::string> text = qmp_->event(name, data)) debug::send_all(socket_, *text);
}

}  // namespace tiercel::machine
