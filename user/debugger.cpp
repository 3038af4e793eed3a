#include "user/debugger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "debug/rendezvous.h"
#include "user/process.h"
#include "user/signals/host.h"

namespace tiercel::user {

Debugger::Debugger(Process& process, debug::Listener listener)
    : Session(process.engine(), true), process_(process), server_(std::move(listener), *this) {
  set_server(&server_);
  world().hold();
}

Debugger::Debugger(Process& process, const debug::gdb::Handover& before)
    : Session(process.engine(), true), process_(process), server_(before, *this) {
  set_server(&server_);
  world().hold();
}

Result<std::unique_ptr<Debugger>> Debugger::start(Process& process, const std::string& where) {
  Result<debug::Listener> listener = debug::Listener::open("--gdb", where);
  if (!listener) return tl::unexpected(listener.error());
  const int fd = listener->descriptor();
  std::unique_ptr<Debugger> debugger(new Debugger(process, std::move(*listener)));
  debugger->begin({fd});
  std::fprintf(stderr, "tiercel: waiting for a debugger at %s\n", debugger->server_.listener().where().c_str());
  return debugger;
}

Result<std::unique_ptr<Debugger>> Debugger::take_over(Process& process, const std::string& word) {
  std::optional<debug::gdb::Handover> handover = debug::gdb::Handover::unpack(word);
  if (!handover) return fail(EINVAL, "--exec: no debugger can be reached through " + word);
  std::unique_ptr<Debugger> debugger(new Debugger(process, *handover));
  std::vector<int> descriptors;
  for (const int* fd : handover->descriptors()) descriptors.push_back(*fd);
  debugger->begin(std::move(descriptors));
  return debugger;
}

void Debugger::begin(std::vector<int> descriptors) {
  std::sort(descriptors.begin(), descriptors.end());
  std::atomic<bool> ready{false};
  const u64 mask = set_host_mask(~u64{0});  // signals are for the guest's threads
  std::thread([this, &descriptors, &ready] { serve(descriptors, ready); }).detach();
  set_host_mask(mask);
  ready.wait(false);
  for (const int fd : descriptors) ::close(fd);
}

void Debugger::serve(std::span<const int> descriptors, std::atomic<bool>& ready) {
  // A descriptor table of its own: nothing in it is seen, closed or kept open by the guest.
  unshare(CLONE_FILES);
  int next = 0;
  for (const int fd : descriptors) {
    if (fd > next) syscall(SYS_close_range, next, fd - 1, 0);
    next = fd + 1;
  }
  syscall(SYS_close_range, next, ~0u, 0);
  while (::open("/dev/null", O_RDWR) < 2) {  // the standard ones, where they are free
  }
  memory_fd_ = ::open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  ready.store(true);
  ready.notify_one();
  server_.run();
}

ExecHandover::ExecHandover(debug::Runner* runner, Debugger* debugger)
    : runner_(runner), debugger_(runner ? debugger : nullptr) {
  if (!debugger_) return;
  runner_->enter_call();
  debugger_->exec_mutex_.lock();
  debugger_->world().freeze();
  const std::optional<debug::Rendezvous> here = debug::Rendezvous::open();
  given_ = here && debugger_->server_.hand_over([&](debug::gdb::Handover& handover) {
    std::vector<int> descriptors;
    for (const int* fd : handover.descriptors()) descriptors.push_back(*fd);
    handover_ = handover;
    return here->give(descriptors);
  });
  const std::vector<int*> places = handover_.descriptors();
  std::vector<int> taken(places.size());
  given_ = given_ && here->take(taken);
  for (std::size_t i = 0; given_ && i < taken.size(); ++i) *places[i] = taken[i];
}

ExecHandover::~ExecHandover() {
  if (!debugger_) return;
  if (given_)
    for (const int* fd : handover_.descriptors()) ::close(*fd);
  debugger_->world().thaw();
  debugger_->exec_mutex_.unlock();
  runner_->leave_call();
}

std::string Debugger::thread_name(debug::ThreadId thread) {
  std::array<char, 64> name = {};
  const int fd = ::open(fmt::format("/proc/self/task/{}/comm", thread).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t n = ::read(fd, name.data(), name.size());
  ::close(fd);
  std::string out(name.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

std::size_t Debugger::owned(u64 address, std::size_t size) {
  std::size_t found = 0;
  while (found < size) {
    const u64 at = address + found;
    if (at < address || !process_.memory().owns(at & ~(kPageSize - 1), kPageSize)) break;
    found += kPageSize - at % kPageSize;
  }
  return std::min(found, size);
}

// Through a file, because that works on pages that neither the guest nor we may read or write.
std::size_t Debugger::read_memory(debug::ThreadId, u64 address, std::span<u8> out) {
  address = process_.frontend().data_address(address);
  const ssize_t n = pread(memory_fd_, out.data(), owned(address, out.size()), static_cast<off_t>(address));
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

bool Debugger::write_memory(debug::ThreadId, u64 address, std::span<const u8> bytes) {
  address = process_.frontend().data_address(address);
  if (owned(address, bytes.size()) != bytes.size()) return false;
  const ssize_t n = pwrite(memory_fd_, bytes.data(), bytes.size(), static_cast<off_t>(address));
  engine().invalidate(VAddr{address}, bytes.size());
  return n == static_cast<ssize_t>(bytes.size());
}

void Debugger::kill() {
  ::kill(getpid(), SIGKILL);
}

std::optional<std::string> Debugger::auxiliary_vector() {
  const std::vector<u64>& pairs = process_.program().auxiliary;
  return std::string(reinterpret_cast<const char*>(pairs.data()), pairs.size() * sizeof(u64));
}

std::optional<std::string> Debugger::executable() {
  return process_.program().guest_path;
}

std::optional<std::string> Debugger::host_path(const std::string& path) {
  const Paths::HostPath host = process_.paths().resolve(AT_FDCWD, path.c_str(), Paths::Last::Follow);
  if (host.error != 0) return {};
  return host.path;
}

}  // namespace tiercel::user
