// Pipes, sockets, descriptors passed between them, poll, epoll, eventfd, timerfd, signalfd, inotify.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include "check.h"

// All that is ready comes in one call when there is room for it, however much that is: an event loop may count on it.
static void many_events(void) {
  enum { kMany = 3000 };
  static struct epoll_event got[kMany + 1];
  static char seen[kMany];
  const int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(1, 0);
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int many = limit.rlim_cur < kMany + 100 ? (int)limit.rlim_cur - 100 : kMany, added = 0, right = 0;
  static int copies[kMany];
  for (int i = 0; i < many; i++) {
    copies[i] = dup(event);
    struct epoll_event set = {.events = EPOLLIN, .data.u64 = (uint64_t)i << 32 | 7};
    added += epoll_ctl(epoll, EPOLL_CTL_ADD, copies[i], &set) == 0;
  }
  CHECK(added == many && many > 1024);
  CHECK(epoll_wait(epoll, got, kMany + 1, 1000) == many);
  for (int i = 0; i < many; i++) {
    const uint64_t number = got[i].data.u64 >> 32;
    right += got[i].events == EPOLLIN && (uint32_t)got[i].data.u64 == 7 && number < kMany && !seen[number]++;
  }
  CHECK(right == many);
  CHECK(epoll_wait(epoll, got, 1100, 0) == 1100);
  for (int i = 0; i < many; i++) close(copies[i]);
  close(event);
  close(epoll);
}

static void pipes(void) {
  int ends[2];
  char buffer[16];
  CHECK(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  CHECK_ERRNO(read(ends[0], buffer, 1), EAGAIN);
  CHECK(writev(ends[1], (struct iovec[]){{"ab", 2}, {"cde", 3}}, 2) == 5);
  int waiting = 0;
  CHECK(ioctl(ends[0], FIONREAD, &waiting) == 0 && waiting == 5);
  CHECK(read(ends[0], buffer, sizeof buffer) == 5 && !memcmp(buffer, "abcde", 5));
  CHECK(fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
  CHECK(fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
  CHECK(fcntl(ends[0], F_GETPIPE_SZ) >= 4096);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
  close(ends[1]);
}

static void sockets(void) {
  int pair[2];
  char buffer[64] = {0};
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  // A descriptor travels over the pair.
  int ends[2];
  CHECK(pipe(ends) == 0);
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {
      .msg_iov = &(struct iovec){"m", 1}, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
  CHECK(sendmsg(pair[0], &message, 0) == 1);
  memset(&control, 0, sizeof control);
  struct msghdr in = {.msg_iov = &(struct iovec){buffer, 8},
                      .msg_iovlen = 1,
                      .msg_control = &control,
                      .msg_controllen = sizeof control};
  CHECK(recvmsg(pair[1], &in, MSG_CMSG_CLOEXEC) == 1);
  int passed = -1;
  header = CMSG_FIRSTHDR(&in);
  CHECK(header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)));
  if (header) memcpy(&passed, CMSG_DATA(header), sizeof passed);
  CHECK(write(passed, "through", 7) == 7);
  CHECK(read(ends[0], buffer, sizeof buffer) == 7 && !memcmp(buffer, "through", 7));
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.pid == getpid());

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
  CHECK(bind(listener, (void*)&address, sizeof address) == 0 && listen(listener, 4) == 0);
  size = sizeof address;
  CHECK(getsockname(listener, (void*)&address, &size) == 0 && address.sin_port != 0 && size == sizeof address);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(client, (void*)&address, sizeof address) == 0);
  struct sockaddr_in peer;
  size = sizeof peer;
  int server = accept4(listener, (void*)&peer, &size, SOCK_NONBLOCK);
  CHECK(server >= 0 && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  CHECK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
  CHECK(send(client, "request", 7, MSG_NOSIGNAL) == 7);
  struct pollfd ready = {.fd = server, .events = POLLIN};
  CHECK(poll(&ready, 1, 2000) == 1 && (ready.revents & POLLIN));
  CHECK(recv(server, buffer, sizeof buffer, MSG_PEEK) == 7);
  CHECK(recv(server, buffer, sizeof buffer, 0) == 7);
  CHECK_ERRNO(recv(server, buffer, sizeof buffer, 0), EAGAIN);
  CHECK(shutdown(client, SHUT_WR) == 0 && poll(&ready, 1, 2000) == 1);
  CHECK(recv(server, buffer, sizeof buffer, 0) == 0);

  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  size = sizeof here;
  CHECK(bind(udp, (void*)&here, sizeof here) == 0 && getsockname(udp, (void*)&here, &size) == 0);
  CHECK(sendto(udp, "datagram", 8, 0, (void*)&here, sizeof here) == 8);
  CHECK(recvfrom(udp, buffer, sizeof buffer, 0, (void*)&peer, &size) == 8 && peer.sin_port == here.sin_port);
  struct mmsghdr many[2] = {
      {{.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = &(struct iovec){"1", 1}, .msg_iovlen = 1}, 0},
      {{.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = &(struct iovec){"22", 2}, .msg_iovlen = 1}, 0}};
  CHECK(sendmmsg(udp, many, 2, 0) == 2 && many[1].msg_len == 2);

  int abstract = socket(AF_UNIX, SOCK_DGRAM, 0);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "tiercel-%d", getpid());
  CHECK(bind(abstract, (void*)&name, sizeof(sa_family_t) + 1 + strlen(name.sun_path + 1)) == 0);
  CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void*)&(struct sockaddr_un){AF_UNIX, "/nonexistent/socket"},
                      sizeof name),
              ENOENT);
}

static void events(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(3, EFD_NONBLOCK);
  uint64_t value = 0;
  // The events array has padding on this architecture and none on x86-64; the second element shows a mistake.
  struct epoll_event set = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, got[2];
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &set) == 0);
  CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &set), EEXIST);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  CHECK(timerfd_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 1000000}}, NULL) == 0);
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){EPOLLIN, {.u64 = 0x99aabbccddeeff00}}) == 0);
  usleep(20000);
  memset(got, 0, sizeof got);
  CHECK(epoll_wait(epoll, got, 2, 1000) == 2);
  CHECK((got[0].data.u64 ^ got[1].data.u64) == (0x1122334455667788ull ^ 0x99aabbccddeeff00ull));
  CHECK(got[0].events == EPOLLIN && got[1].events == EPOLLIN);
  CHECK(read(timer, &value, 8) == 8 && value == 1);
  CHECK(read(event, &value, 8) == 8 && value == 3);
  CHECK(epoll_wait(epoll, got, 2, 0) == 0);
  CHECK(eventfd_write(event, 5) == 0 && epoll_pwait(epoll, got, 1, 1000, NULL) == 1 &&
        got[0].data.u64 == 0x1122334455667788);

  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  int signals = signalfd(-1, &mask, SFD_CLOEXEC);
  struct signalfd_siginfo info;
  kill(getpid(), SIGUSR1);
  CHECK(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1 &&
        info.ssi_pid == (uint32_t)getpid());

  char folder[] = "/tmp/tiercel-watch-XXXXXX", name[64];
  CHECK(mkdtemp(folder) != NULL);
  int watch = inotify_init1(IN_NONBLOCK);
  CHECK(inotify_add_watch(watch, folder, IN_CREATE | IN_DELETE) > 0);
  snprintf(name, sizeof name, "%s/file", folder);
  close(open(name, O_CREAT | O_WRONLY, 0600));
  unlink(name);
  char buffer[512] __attribute__((aligned(8)));
  ssize_t size = read(watch, buffer, sizeof buffer);
  struct inotify_event *first = (void*)buffer, *second = (void*)(buffer + sizeof *first + first->len);
  CHECK(size > 0 && first->mask == IN_CREATE && !strcmp(first->name, "file") && second->mask == IN_DELETE);
  rmdir(folder);
}

// A local name that fills its field and has no end mark.
static void full_name(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char folder[] = "/tmp/tiercel-io-XXXXXX", path[sizeof name.sun_path + 1];
  CHECK(mkdtemp(folder) != NULL);
  memset(path, 'x', sizeof path - 1);
  memcpy(path, folder, strlen(folder));
  path[strlen(folder)] = '/';
  path[sizeof path - 1] = 0;
  memcpy(name.sun_path, path, sizeof name.sun_path);
  const int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(server, (struct sockaddr*)&name, sizeof name) == 0 && listen(server, 1) == 0);
  CHECK(connect(client, (struct sockaddr*)&name, sizeof name) == 0);
  CHECK(unlink(path) == 0);
  close(server);
  close(client);

  // A short name that a link makes longer than the field.
  path[sizeof path - 2] = 0;
  char link[] = "/tmp/tiercel-io-link-XXXXXX";
  CHECK(mkdir(path, 0700) == 0 && mkdtemp(link) != NULL && rmdir(link) == 0 && symlink(path, link) == 0);
  snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", link);
  const int other = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(other, (struct sockaddr*)&name, sizeof name) == 0 && access(name.sun_path, F_OK) == 0);
  CHECK(unlink(name.sun_path) == 0 && unlink(link) == 0 && rmdir(path) == 0 && rmdir(folder) == 0);
  close(other);
}

int main(void) {
  // Nothing can convert what io_uring reads from shared memory: programs must fall back on the calls.
  CHECK_ERRNO(syscall(SYS_io_uring_setup, 4, NULL), ENOSYS);
  pipes();
  sockets();
  events();
  many_events();
  full_name();
  return finish();
}
