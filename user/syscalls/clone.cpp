// New threads and processes.
//
// A thread of the guest is a thread of the host, made by libc so that C++ works in it, on a stack of ours. Its
// CLONE_CHILD_CLEARTID address is handed to the kernel, which therefore does the robust list, the clearing and the
// wake-up in the right order after the last of our own code has run. A stack is used again once its thread is gone for
// the kernel.
//
// fork copies everything. vfork (CLONE_VM | CLONE_VFORK) runs the child on the parent's thread-local storage, which the
// suspended parent does not use, with a vCPU, a signal table and a host stack of its own.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <mutex>

#include "user/memory/borrower_heap.h"
#include "user/process.h"
#include "user/signals/host.h"
#include "user/syscalls/guest_access.h"
#include "user/syscalls/process_calls.h"

namespace tiercel::user {

namespace {

struct CloneRequest {
  u64 flags = 0;  // CLONE_*, without the exit signal
  int exit_signal = SIGCHLD;
  u64 stack_pointer = 0;  // 0: the parent's
  u64 parent_tid = 0, child_tid = 0, tls = 0, pidfd = 0;
};

constexpr u64 kCloneClearSighand = 0x100000000;  // CLONE_CLEAR_SIGHAND of clone3

constexpr u64 kHostStack = 512 << 10, kSignalStack = 64 << 10, kGuard = 16 << 10;
constexpr u64 kHostStackTotal = kGuard + kSignalStack + kGuard + kHostStack;

u8* make_host_stack() {
  void* base =
      mmap(nullptr, kHostStackTotal, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  u8* bytes = static_cast<u8*>(base);
  mprotect(bytes, kGuard, PROT_NONE);
  mprotect(bytes + kGuard + kSignalStack, kGuard, PROT_NONE);
  return bytes;
}
u8* signal_stack_of(u8* base) {
  return base + kGuard;
}
u8* stack_of(u8* base) {
  return base + kGuard + kSignalStack + kGuard;
}

/// A stack whose thread has gone, or a new one. Null: no memory.
u8* take_host_stack(Process& process) {
  std::lock_guard lock(process.threads_mutex);
  auto& retired = process.retired_stacks;
  for (std::size_t i = 0; i < retired.size(); ++i) {
    if (syscall(SYS_tgkill, getpid(), retired[i].tid, 0) == 0 || errno != ESRCH) continue;
    u8* base = static_cast<u8*>(retired[i].base);
    retired.erase(retired.begin() + static_cast<std::ptrdiff_t>(i));
    return base;
  }
  return make_host_stack();
}

void retire_host_stack(Process& process, void* base, int tid) {
  std::lock_guard lock(process.threads_mutex);
  process.retired_stacks.push_back({base, tid});
}

/// The child's registers: a copy of the parent's with the answer 0, the new stack and thread pointer.
std::unique_ptr<Thread> make_child(Thread& parent, SignalActions& actions, const CloneRequest& r) {
  auto child = std::make_unique<Thread>(parent.process(), actions, parent.process().engine().copy_vcpu(parent.vcpu()));
  arm::A64State& s = child->cpu();
  s.x[0] = 0;
  if (r.stack_pointer != 0) s.sp = r.stack_pointer;
  if (r.flags & CLONE_SETTLS) s.tpidr = r.tls;
  child->adopt_mask(parent.mask());
  return child;
}

struct ThreadStart {
  std::unique_ptr<Thread> thread;
  CloneRequest request;
  std::atomic<int> tid = 0;
};

/// First function of a guest thread's host thread; all signals are blocked.
void* thread_main(void* argument) {
  auto* start = static_cast<ThreadStart*>(argument);
  std::unique_ptr<Thread> thread = std::move(start->thread);
  const CloneRequest request = start->request;
  u8* base = static_cast<u8*>(thread->host_stack);
  Process& process = thread->process();
  const int tid = static_cast<int>(syscall(SYS_gettid));
  thread->set_tid(tid);
  use_host_signal_stack(signal_stack_of(base), kSignalStack);
  syscall(SYS_set_tid_address, request.flags & CLONE_CHILD_CLEARTID ? request.child_tid : 0);
  if (request.flags & CLONE_PARENT_SETTID) write_guest(request.parent_tid, static_cast<u32>(tid));
  if (request.flags & CLONE_CHILD_SETTID) write_guest(request.child_tid, static_cast<u32>(tid));
  set_current_thread(thread.get());
  thread->start_debugging();
  start->tid.store(tid, std::memory_order_release);
  start->tid.notify_one();

  thread->set_mask(thread->mask());
  thread->run();

  set_host_mask(~u64{0});
  set_current_thread(nullptr);
  use_host_signal_stack(nullptr, 0);
  thread.reset();
  process.remove_thread();
  retire_host_stack(process, base, tid);
  return nullptr;
}

s64 start_thread(Thread& parent, const CloneRequest& request) {
  constexpr u64 kRequired = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  constexpr u64 kKnown = kRequired | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |
                         CLONE_CHILD_SETTID | CLONE_DETACHED;
  if ((request.flags & kRequired) != kRequired || (request.flags & ~kKnown)) return -EINVAL;
  u8* base = take_host_stack(parent.process());
  if (!base) return -EAGAIN;
  // Shared, because the child's last access to it may come after the parent's return.
  auto start = std::make_shared<ThreadStart>();
  start->thread = make_child(parent, parent.actions(), request);
  start->thread->host_stack = base;
  start->request = request;

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack_of(base), kHostStack);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  set_host_mask(~u64{0});
  parent.process().add_thread();
  pthread_t handle;
  auto* held = new std::shared_ptr<ThreadStart>(start);
  const bool first = __libc_single_threaded;
  const int failure = pthread_create(
      &handle, &attributes,
      [](void* p) -> void* {
        const std::unique_ptr<std::shared_ptr<ThreadStart>> own(static_cast<std::shared_ptr<ThreadStart>*>(p));
        return thread_main(own->get());
      },
      held);
  pthread_attr_destroy(&attributes);
  // With the first thread, libc installs its handler for the signal with which it changes the ids of all threads. The
  // guest's C library, or Go's runtime, uses the same signal.
  constexpr int kChangeIds = 33;
  if (first) parent.actions().mirror(kChangeIds);
  if (failure == 0) start->tid.wait(0, std::memory_order_acquire);
  parent.set_mask(parent.mask());
  if (failure == 0) return start->tid.load();
  parent.process().remove_thread();
  delete held;
  munmap(base, kHostStackTotal);
  return -EAGAIN;
}

/// What the child of fork and of the raw clone does first; it is the only thread.
void settle_forked_child(Thread& t, const CloneRequest& r) {
  t.process().engine().fork_child();
  t.process().memory().unlock_after_fork();
  t.actions().unlock();
  t.process().after_fork_in_child();
  BorrowerHeap::leave();
  t.leave_debugger();
  t.borrows_memory = false;  // it was a vfork child's fork
  const int tid = static_cast<int>(syscall(SYS_gettid));
  t.set_tid(tid);
  syscall(SYS_set_tid_address, r.flags & CLONE_CHILD_CLEARTID ? r.child_tid : 0);
  if (r.flags & CLONE_CHILD_SETTID) write_guest(r.child_tid, static_cast<u32>(tid));
  if (r.stack_pointer != 0) t.cpu().sp = r.stack_pointer;
  if (r.flags & CLONE_SETTLS) t.cpu().tpidr = r.tls;
}

/// A new process with a copy of memory.
s64 start_process(Thread& t, const CloneRequest& r) {
  constexpr u64 kOurs = CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED;
  constexpr u64 kShares = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
  if (r.flags & kShares) return -EINVAL;
  Process& process = t.process();
  t.actions().lock();
  process.memory().lock_operations();
  process.engine().fork_prepare();
  process.memory().lock_pages();
  s64 child;
  if ((r.flags & ~kOurs) == 0 && r.exit_signal == SIGCHLD) {
    child = fork();  // libc's: its own locks are looked after
    if (child < 0) child = -errno;
  } else {
    const u64 flags = (r.flags & ~kOurs) | static_cast<u64>(r.exit_signal);
    u64 pidfd = r.pidfd;
    child = syscall(SYS_clone, flags, 0, r.flags & CLONE_PIDFD ? pidfd : 0, 0, 0);
    if (child < 0) child = -errno;
  }
  if (child == 0) {
    settle_forked_child(t, r);
    return 0;
  }
  process.engine().fork_parent();
  process.memory().unlock_after_fork();
  t.actions().unlock();
  if (child > 0 && (r.flags & CLONE_PARENT_SETTID)) write_guest(r.parent_tid, static_cast<u32>(child));
  return child;
}

struct VforkStart {
  Thread* child;
  const CloneRequest* request;
};

int vfork_main(void* argument) {
  const auto* start = static_cast<VforkStart*>(argument);
  Thread& t = *start->child;
  t.vcpu().attach();
  const int tid = static_cast<int>(syscall(SYS_gettid));
  t.set_tid(tid);
  if (start->request->flags & CLONE_CHILD_SETTID) write_guest(start->request->child_tid, static_cast<u32>(tid));
  set_current_thread(&t);
  t.set_mask(t.mask());
  t.run();
  _exit(0);  // the guest's exit call has left already
}

/// A child that borrows this process's memory until it executes a program or ends.
s64 start_borrower(Thread& t, const CloneRequest& r) {
  constexpr u64 kKnown = CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
                         CLONE_CHILD_CLEARTID | CLONE_FILES | CLONE_FS | CLONE_PIDFD | kCloneClearSighand;
  if (r.flags & ~kKnown) return -EINVAL;
  u8* base = take_host_stack(t.process());
  if (!base) return -EAGAIN;
  SignalActions actions(t.actions());
  if (r.flags & kCloneClearSighand) actions.forget_handlers();
  std::unique_ptr<Thread> child = make_child(t, actions, r);
  child->borrows_memory = true;
  VforkStart start{child.get(), &r};
  const u64 host_flags =
      (r.flags & (CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_FS | CLONE_PIDFD)) | static_cast<u64>(r.exit_signal);
  set_host_mask(~u64{0});
  s64 pid;
  {
    const BorrowerHeap::Scope scope;
    const debug::Runner::Call call(t.runner());
    pid = clone(vfork_main, stack_of(base) + kHostStack, static_cast<int>(host_flags), &start,
                reinterpret_cast<void*>(r.pidfd));
    if (pid < 0) pid = -errno;
    set_current_thread(&t);
    t.vcpu().attach();
    // It may have been killed in the middle of anything.
    t.process().abandon(child->vcpu());
    child.reset();
  }
  t.set_mask(t.mask());
  retire_host_stack(t.process(), base, 0x7fffffff);  // no thread has this number: free at once
  if (pid > 0 && (r.flags & CLONE_PARENT_SETTID)) write_guest(r.parent_tid, static_cast<u32>(pid));
  return pid;
}

s64 start(Thread& t, const CloneRequest& r) {
  // What is waiting is delivered first, to one process only.
  set_host_mask(~u64{0});
  if (*t.captured() != 0) {
    // Stays blocked: a captured signal means that all others wait.
    return kRestart;
  }
  s64 result;
  if (r.flags & CLONE_THREAD)
    result = start_thread(t, r);
  else if ((r.flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK))
    result = start_borrower(t, r);
  else
    result = start_process(t, r);
  t.set_mask(t.mask());
  return result;
}

}  // namespace

s64 sys_clone(Thread& t, const SystemCall& c) {
  constexpr u64 kSignalMask = 0xff;
  const u64 flags = c.args[0] & 0xffffffff;
  return start(t, {.flags = flags & ~kSignalMask,
                   .exit_signal = static_cast<int>(flags & kSignalMask),
                   .stack_pointer = c.args[1],
                   .parent_tid = c.args[2],
                   .child_tid = c.args[4],
                   .tls = c.args[3],
                   .pidfd = c.args[2]});
}

s64 sys_clone3(Thread& t, const SystemCall& c) {
  struct CloneArgs {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
  } a{};
  constexpr u64 kFirstVersion = 64;
  if (c.args[1] < kFirstVersion) return -EINVAL;
  if (c.args[1] > sizeof a) return -E2BIG;
  if (engine::guarded_copy(&a, reinterpret_cast<const void*>(c.args[0]), c.args[1]) != 0) return -EFAULT;
  if (a.set_tid_size != 0 || (a.flags & 0x200000000 /* CLONE_INTO_CGROUP */)) return -EINVAL;
  if ((a.stack == 0) != (a.stack_size == 0)) return -EINVAL;
  return start(t, {.flags = a.flags,
                   .exit_signal = static_cast<int>(a.exit_signal),
                   .stack_pointer = a.stack + a.stack_size,
                   .parent_tid = a.parent_tid,
                   .child_tid = a.child_tid,
                   .tls = a.tls,
                   .pidfd = a.pidfd});
}

}  // namespace tiercel::user
