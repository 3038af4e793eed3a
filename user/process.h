// The guest's process: what its threads share.
#pragma once

#include <array>
#include <atomic>
#include <forward_list>
#include <string>
#include <vector>

#include "base/owner_lock.h"
#include "engine/engine.h"
#include "user/debugger.h"
#include "user/loader/loader.h"
#include "user/memory/guest_memory.h"
#include "user/paths.h"
#include "user/run_options.h"
#include "user/signals/actions.h"

namespace tiercel::user {

class Thread;

/// Resource limits that must not bind us, only what the guest believes.
struct BelievedLimit {
  bool set = false;
  u64 soft = ~u64{0}, hard = ~u64{0};
};

class Process {
 public:
  Process(const RunOptions& options, guest::Frontend& frontend);

  /// Loads the program and runs it. Returns only for failures before the guest starts: 125, 126 or 127, with one line
  /// on stderr. Otherwise the host process ends as the guest does.
  int run();

  /// exit_group.
  [[noreturn]] void exit(int status);
  /// Ends the process by a signal the guest did not survive.
  [[noreturn]] void die(int signal);

  const RunOptions& options() const { return options_; }
  guest::Frontend& frontend() { return frontend_; }
  GuestMemory& memory() { return memory_; }
  engine::Engine& engine() { return engine_; }
  /// Null: nobody debugs this process.
  Debugger* debugger() { return debugger_.get(); }
  void leave_debugger();
  /// Whether what this process executes may say that there is no translation service. Not if this one has said so, or
  /// has become another user: then the guest gave the service up itself.
  bool may_miss_service() const { return options_.tier_named && !warned_ && getuid() == user_; }
  const Paths& paths() const { return *paths_.load(std::memory_order_acquire); }
  /// chroot: from now on guest paths are looked up in the host directory `root`, and nowhere else.
  void change_root(const std::string& root);
  const LoadedProgram& program() const { return program_; }

  /// Descriptors of ours that the guest must neither see closed nor use: the trace. -1: none.
  int hidden_descriptor() const { return trace_fd_; }

  void count_refused(unsigned number) { refused_[number < refused_.size() ? number : refused_.size() - 1]++; }
  void count_call() { calls_.fetch_add(1, std::memory_order_relaxed); }
  void write_report();
  /// In the child of a fork, where the calling thread is the only one.
  void after_fork_in_child();
  /// A vfork child has ended, perhaps killed: what it held is released. `vcpu` was the child's.
  void abandon(engine::Vcpu& vcpu);

  /// Writes one line of the trace.
  void trace(const std::string& line) const;

  std::array<BelievedLimit, 16>& believed_limits() { return believed_limits_; }

  // Threads.
  void add_thread() { ++thread_count_; }
  /// A thread ends and is not the guest's any more; with the last one, so does the process.
  void remove_thread();
  /// The same for the first one, which is about to end with `status`.
  void remove_first_thread(Thread& thread, int status);
  OwnerLock threads_mutex;
  /// Host stacks of threads that have ended or are ending; see clone.cpp.
  struct RetiredStack {
    void* base;
    int tid;
  };
  std::vector<RetiredStack> retired_stacks;

 private:
  int fail_start(const Error& error);
  void report_end(const debug::StopEvent& event);

  RunOptions options_;
  guest::Frontend& frontend_;
  GuestMemory memory_;
  std::atomic<bool> warned_ = false;
  const uid_t user_ = getuid();
  engine::Engine engine_;
  std::forward_list<Paths> all_paths_;  // the first is current; other threads may be using an older one
  std::atomic<const Paths*> paths_;
  LoadedProgram program_;
  int trace_fd_ = -1;
  std::array<BelievedLimit, 16> believed_limits_;
  std::array<std::atomic<u64>, 512> refused_ = {};
  std::atomic<u64> calls_ = 0;
  std::atomic<int> thread_count_ = 1;
  std::atomic<int> first_status_ = 0;
  std::unique_ptr<Debugger> debugger_;
};

}  // namespace tiercel::user
