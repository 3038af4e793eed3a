#include "user/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"
#include "service/client.h"
#include "service/place.h"
#include "user/report.h"
#include "user/signals/host.h"
#include "user/syscalls/dispatch.h"
#include "user/thread.h"

namespace tiercel::user {

namespace {

// Statuses for our own failures, as container runtimes and shells use them.
constexpr int kCannotStart = 125, kCannotExecute = 126, kNotFound = 127;

constexpr u64 kFirstSignalStack = 64 << 10;

const char* base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
}

/// A name without a slash is looked up in the guest's PATH, as execvp does.
std::string find_program(const RunOptions& options, const Paths& paths) {
  if (!options.search_path || options.program.find('/') != std::string::npos) return options.program;
  std::string list = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string& entry : options.environment)
    if (entry.starts_with("PATH=")) list = entry.substr(5);
  for (std::size_t at = 0; at <= list.size();) {
    std::size_t end = list.find(':', at);
    if (end == std::string::npos) end = list.size();
    const std::string candidate = (end == at ? "." : list.substr(at, end - at)) + "/" + options.program;
    const Paths::HostPath host = paths.resolve(AT_FDCWD, candidate.c_str(), Paths::Last::Follow);
    if (host.error == 0 && access(host.path.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return {};
}

/// Other processes (ps, pgrep) see the guest's arguments and environment, also when it overwrites them. The kernel
/// allows this to processes with CAP_SYS_RESOURCE only; for others /proc/PID/cmdline shows Tiercel's own.
void show_arguments(const LoadedProgram& program) {
  // Ends after starts: each step must leave start <= end, and the guest's stack is below the host's.
  if (prctl(PR_SET_MM, PR_SET_MM_ARG_START, program.arguments_begin, 0, 0) < 0) return;
  prctl(PR_SET_MM, PR_SET_MM_ARG_END, program.arguments_end, 0, 0);
  prctl(PR_SET_MM, PR_SET_MM_ENV_START, program.environment_begin, 0, 0);
  prctl(PR_SET_MM, PR_SET_MM_ENV_END, program.environment_end, 0, 0);
}

u64 nanoseconds(const timeval& t) {
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_usec) * 1000;
}

/// The trace has a descriptor of its own, so that it survives whatever the guest does with 2.
int trace_descriptor(const RunOptions& options) {
  if (!options.strace) return -1;
  if (options.trace_descriptor >= 0) return options.trace_descriptor;
  rlimit limit;
  const int wanted = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1000 ? 990 : 100;
  const int fd = fcntl(2, F_DUPFD, wanted);
  return fd < 0 ? 2 : fd;
}

/// The translation service of hot code, if the options ask for one.
std::unique_ptr<engine::RegionService> region_service(const RunOptions& options, const guest::Frontend& frontend,
                                                      const engine::AddressSpace& memory, std::atomic<bool>& warned) {
  if (!options.engine.wants_regions()) return nullptr;
  std::function<void(const std::string&)> warn;
  if (options.tier_named)
    warn = [&warned, user = getuid()](const std::string& message) {
      if (getuid() != user) return;  // the guest's own doing
      std::fprintf(stderr, "tiercel: hot code is not optimised: %s\n", message.c_str());
      warned = true;
    };
  return service::make_client({engine::vm_layout(frontend, memory, options.engine),
                               engine::host_features(options.engine), service::compiler_path(), std::move(warn)});
}

}  // namespace

Process::Process(const RunOptions& options, guest::Frontend& frontend)
    : options_(options),
      frontend_(frontend),
      engine_(frontend, memory_, options.engine, region_service(options, frontend, memory_, warned_)),
      all_paths_{Paths(options.root, options.root_strict)},
      paths_(&all_paths_.front()),
      trace_fd_(trace_descriptor(options)) {
  options_.trace_descriptor = trace_fd_;
  options_.root = paths().root();
  memory_.set_code_listener([this](u64 start, u64 size) { engine_.invalidate(VAddr{start}, size); });
}

void Process::change_root(const std::string& root) {
  std::lock_guard lock(threads_mutex);
  all_paths_.emplace_front(root, true);
  paths_.store(&all_paths_.front(), std::memory_order_release);
}

int Process::fail_start(const Error& error) {
  std::fprintf(stderr, "tiercel: %s\n", error.message.c_str());
  if (error.code == ENOENT || error.code == ENOTDIR) return kNotFound;
  return error.code == 0 ? kCannotStart : kCannotExecute;
}

int Process::run() {
  const std::string path = find_program(options_, paths());
  if (path.empty()) return fail_start({ENOENT, options_.program + ": command not found in PATH"});
  const auto plan = plan_exec(paths(), AT_FDCWD, path);
  if (!plan) return fail_start(plan.error());
  if (plan->kind == FileKind::HostElf)
    return fail_start({ENOEXEC, plan->guest_path + ": a program for this machine (x86-64); run it without Tiercel"});
  auto program = load_program(*plan, options_, paths(), memory_);
  if (!program) return fail_start(program.error());
  program_ = std::move(*program);
  prctl(PR_SET_NAME, base_name(plan->prefix.empty() ? path : plan->prefix.back()));

  show_arguments(program_);
  if (!options_.gdb.empty() || !options_.gdb_handover.empty()) {
    auto debugger = options_.gdb_handover.empty() ? Debugger::start(*this, options_.gdb)
                                                  : Debugger::take_over(*this, options_.gdb_handover);
    if (!debugger) return fail_start({0, debugger.error().message});
    debugger_ = std::move(*debugger);
  }

  alignas(16) static u8 signal_stack[kFirstSignalStack];
  const u64 mask = host_mask();
  set_host_mask(~u64{0});
  SignalActions actions(debugger_ != nullptr);
  Thread thread(*this, actions, engine_.make_vcpu());
  set_current_thread(&thread);
  thread.set_tid(static_cast<int>(syscall(SYS_gettid)));
  thread.cpu().pc = program_.entry;
  thread.cpu().sp = program_.stack_pointer;
  use_host_signal_stack(signal_stack, sizeof signal_stack);
  syscall(SYS_set_tid_address, nullptr);
  thread.start_debugging();
  thread.set_mask(mask);
  thread.run();
  return kCannotStart;  // not reached: the first thread ends through the kernel
}

void Process::report_end(const debug::StopEvent& event) {
  Thread* thread = current_thread();
  if (!debugger_ || (thread && thread->borrows_memory)) return;
  if (thread && thread->runner())
    thread->runner()->report_end(event);
  else
    debugger_->world().end(nullptr, event);
}

void Process::leave_debugger() {
  if (!debugger_) return;
  static_cast<void>(debugger_.release());  // its locks may be in any state
  engine_.set_breakpoints({});
}

void Process::exit(int status) {
  if (options_.stats) write_report();
  report_end({.kind = debug::StopEvent::Kind::Exited, .number = status});
  syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

void Process::die(int signal) {
  if (options_.strace) trace(fmt::format("+++ killed by {} +++", strsignal(signal)));
  if (options_.stats) write_report();
  report_end({.kind = debug::StopEvent::Kind::Killed, .number = signal});
  die_by_signal(signal);
  _exit(128 + signal);
}

void Process::after_fork_in_child() {
  // The other threads' stacks stay mapped; nobody runs on them any more.
  new (&threads_mutex) OwnerLock;
  thread_count_ = 1;
  for (RetiredStack& stack : retired_stacks) stack.tid = 0x7fffffff;
}

void Process::abandon(engine::Vcpu& vcpu) {
  if (threads_mutex.take_over(vcpu.owner())) threads_mutex.unlock();
  memory_.abandon(vcpu.owner());
  engine_.abandon(vcpu);
}

void Process::remove_thread() {
  if (--thread_count_ != 0) return;
  if (debugger_) exit(first_status_);  // whose thread is none of the guest's, so the kernel would go on
  if (options_.stats) write_report();
}

void Process::remove_first_thread(Thread& thread, int status) {
  first_status_ = status;
  thread.end_debugging();
  remove_thread();
}

void Process::trace(const std::string& line) const {
  std::string text = fmt::format("[{}] {}\n", syscall(SYS_gettid), line);
  [[maybe_unused]] const ssize_t n = write(trace_fd_ >= 0 ? trace_fd_ : 2, text.data(), text.size());
}

void Process::write_report() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  RunFacts facts{program_.guest_path,        options_.root, getpid(), engine_.statistics(), {}, process_cpu_ns(),
                 nanoseconds(used.ru_stime), calls_.load(), {}};
  for (unsigned number = 0; number < refused_.size(); ++number) {
    const SystemCallRow& row = system_call_row(number);
    if (const u64 count = refused_[number].load())
      facts.refused_calls.emplace_back(row.name ? row.name : fmt::format("number {}", number), count);
  }
  std::string text;
  facts.blocks = engine_.executed_blocks();
  if (options_.explain)
    text = explain(facts, engine_.options(), memory_.list());
  else
    text = counters_text(facts, options_.stats_json);
  [[maybe_unused]] const ssize_t n = write(2, text.data(), text.size());
}

}  // namespace tiercel::user
