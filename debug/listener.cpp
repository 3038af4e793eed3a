#include "debug/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace tiercel::debug {
namespace {

constexpr long kPatience = 5;  // seconds, for a side that takes nothing

int make_socket(int family) {
  return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/// 0, or an errno value.
template <typename Address>
int bind_and_listen(int fd, const Address& address) {
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return errno;
  return listen(fd, 1) < 0 ? errno : 0;
}

/// True if `address` is a socket's file that nobody listens at any more. Who does listen notices nothing of a question
/// of the wrong type.
bool is_left_over(const sockaddr_un& address) {
  struct stat info;
  if (stat(address.sun_path, &info) < 0 || !S_ISSOCK(info.st_mode)) return false;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool refused =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

struct Bound {
  int fd = -1;
  std::string where, file;
};
tl::unexpected<Error> failed(int fd, const std::string& option, const std::string& where, int error) {
  if (fd >= 0) close(fd);
  return fail(error, fmt::format("{}: {}: {}", option, where, std::strerror(error)));
}

Result<Bound> bind_unix(const std::string& option, const std::string& where, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(EINVAL, fmt::format("{}: {}: the name of a socket has 1 to {} bytes", option, where,
                                    sizeof address.sun_path - 1));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = make_socket(AF_UNIX);
  if (fd < 0) return failed(fd, option, where, errno);
  int error = bind_and_listen(fd, address);
  if (error == EADDRINUSE && is_left_over(address)) {
    unlink(address.sun_path);
    error = bind_and_listen(fd, address);
  }
  if (error != 0) return failed(fd, option, where, error);
  return Bound{fd, where, path};
}

template <typename Address>
Result<Bound> bind_tcp(const std::string& option, const std::string& where, const std::string& host, Address address,
                       in_port_t Address::*port) {
  const int fd = make_socket(reinterpret_cast<const sockaddr&>(address).sa_family);
  if (fd < 0) return failed(fd, option, where, errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (const int error = bind_and_listen(fd, address); error != 0) return failed(fd, option, where, error);
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return Bound{fd, fmt::format("tcp:{}:{}", host, ntohs(address.*port)), {}};
}

Result<Bound> bind_tcp(const std::string& option, const std::string& where, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  const std::string given(colon == std::string_view::npos ? "localhost" : rest.substr(0, colon));
  if (colon != std::string_view::npos) rest.remove_prefix(colon + 1);
  u16 port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (rest.empty() || error != std::errc() || end != rest.data() + rest.size())
    return fail(EINVAL, fmt::format("{}: {}: '{}' is not a port", option, where, rest));
  const std::string host = given == "localhost" ? "127.0.0.1" : given;
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1)
    return bind_tcp(option, where, host, v4, &sockaddr_in::sin_port);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed && inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) == 1)
    return bind_tcp(option, where, host, v6, &sockaddr_in6::sin6_port);
  return fail(EINVAL, fmt::format("{}: {}: '{}' is not an address like 127.0.0.1 or [::1]", option, where, host));
}

}  // namespace

Result<Listener> Listener::open(const std::string& option, const std::string& where) {
  Result<Bound> bound = where.starts_with("unix:") ? bind_unix(option, where, where.substr(5))
                        : where.starts_with("tcp:")
                            ? bind_tcp(option, where, std::string_view(where).substr(4))
                            : Result<Bound>(fail(EINVAL, fmt::format("{}: '{}' is not tcp:PORT, tcp:ADDRESS:"
                                                                     "PORT or unix:PATH",
                                                                     option, where)));
  if (!bound) return tl::unexpected(bound.error());
  return Listener(bound->fd, std::move(bound->where), std::move(bound->file));
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), where_(std::move(other.where_)), file_(std::exchange(other.file_, {})) {}

Listener::~Listener() {
  if (fd_ < 0) return;
  remove_file();
  close(fd_);
}

void Listener::remove_file() {
  if (!file_.empty()) unlink(file_.c_str());
  file_.clear();
}

int Listener::accept() const {
  for (;;) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0) return -1;
    const timeval patience{.tv_sec = kPatience, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // refused by local sockets, which do not wait anyway
    return fd;
  }
}

void Listener::shut_down() const {
  shutdown(fd_, SHUT_RDWR);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace tiercel::debug
