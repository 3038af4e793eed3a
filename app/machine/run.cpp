#include "app/machine/run.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "app/machine/control.h"
#include "app/machine/saving.h"

namespace tiercel::machine {
namespace {

using Ended = system::ArmCpus::Ended;

constexpr std::string_view kKeys =
    "\r\n"
    "Ctrl-A x       end the machine, as if its plug were pulled\r\n"
    "Ctrl-A p       press its power button\r\n"
    "Ctrl-A w       write the machine to --save's file and end it\r\n"
    "Ctrl-A s       type `stty` with this terminal's size, for a shell\r\n"
    "Ctrl-A Ctrl-A  send Ctrl-A\r\n"
    "Ctrl-A h       this\r\n";

constexpr std::string_view kNoFile = "\r\ntiercel: Ctrl-A w goes with --save FILE\r\n";

/// What a person at the machine does, on the I/O thread, or a program, on the control socket's.
class Operator final : public Controls {
 public:
  Operator(Machine& m, const Options& options)
      : machine_(m),
        options_(options),
        release_(m.clock->add_timer([&m] { m.virt->buttons->set_input(kButton, false); })) {}
  /// Also lets a program do it.
  Result<void> listen(const std::string& where);
  void hang_up() { socket_.reset(); }
  /// Gives what is to be typed.
  std::string on_key(char key);
  /// The machine has come to an end, or begins `again`.
  void tell_end(Ended how, bool again);
  /// It ran from power-on or a snapshot on: what was begun before is over.
  void begin() { machine_.clock->arm(release_, machine_.clock->now() + kPressNs); }

  /// Pauses the machine for a snapshot in --save's file. Any thread.
  enum class Asked : u8 { No, ByTime, ByKey };
  void save_to_file(Asked by);
  /// Between runs: pauses the next one at once if somebody waits for a snapshot.
  void ask_again();
  /// The machine is paused: makes the snapshot that was asked for. True: it goes on.
  Result<bool> save_now(bool goes_on);
  /// There will be no more snapshots.
  void close();

  bool paused() override { return machine_.debugger->world().frozen(); }
  void pause() override;
  void resume() override;
  void press_power_button() override;
  void reset() override {
    asked_ = "host-qmp-system-reset";
    machine_.cpus->reset(false);
  }
  void quit() override {
    asked_ = "host-qmp-quit";
    machine_.cpus->stop();
  }
  Result<void> save(const std::string& path) override;

 private:
  static constexpr unsigned kButton = system::VirtMachine::kPowerButton;
  static constexpr u64 kPressNs = 100'000'000;  // drivers look some time after the interrupt
  void tell(const char* event, const nlohmann::json& data = nullptr) {
    if (socket_) socket_->event(event, data);
  }

  Result<void> make_snapshot(const std::string& path);

  Machine& machine_;
  const Options& options_;
  system::Clock::TimerId release_;
  std::mutex mutex_;  // guards the following
  std::condition_variable saved_;
  std::optional<std::string> asked_path_;  // by a program that waits
  std::optional<Result<void>> answer_;     // for it
  Asked asked_file_ = Asked::No;           // for --save's file
  bool closed_ = false;
  std::atomic<const char*> asked_{nullptr};  // for the end of the run, by whom
  std::unique_ptr<ControlSocket> socket_;
};

Result<void> Operator::listen(const std::string& where) {
  if (where.empty()) return {};
  Result<std::unique_ptr<ControlSocket>> socket = ControlSocket::open(where, *this);
  if (!socket) return tl::unexpected(Error{kFailed, socket.error().message});
  socket_ = std::move(*socket);
  return {};
}

void Operator::pause() {
  if (paused()) return;
  machine_.debugger->world().freeze();
  machine_.real_clock->pause();
  tell("STOP");
}

void Operator::resume() {
  if (!paused()) return;
  machine_.real_clock->resume();
  machine_.debugger->world().thaw();
  tell("RESUME");
}

void Operator::press_power_button() {
  machine_.virt->buttons->set_input(kButton, true);
  machine_.clock->arm(release_, machine_.clock->now() + kPressNs);
  tell("POWERDOWN");
}

void Operator::tell_end(Ended how, bool again) {
  const char* asked = asked_.exchange(nullptr);
  const bool resets = how == Ended::Reset || how == Ended::WarmReset;
  const char* reason = asked ? asked : resets ? "guest-reset" : how == Ended::PowerOff ? "guest-shutdown" : "host-ui";
  tell(again ? "RESET" : "SHUTDOWN", {{"guest", !asked && how != Ended::Stopped}, {"reason", reason}});
}

Result<void> Operator::save(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (closed_) return fail(EINVAL, "the machine has come to its end");
  asked_path_ = path;
  machine_.cpus->pause();
  saved_.wait(lock, [this] { return answer_.has_value(); });
  asked_path_.reset();
  return *std::exchange(answer_, std::nullopt);
}

void Operator::save_to_file(Asked by) {
  const std::lock_guard guard(mutex_);
  asked_file_ = by;
  machine_.cpus->pause();
}

void Operator::ask_again() {
  const std::lock_guard guard(mutex_);
  if (asked_file_ != Asked::No || (asked_path_ && !answer_)) machine_.cpus->pause();
}

/// Meanwhile the machine's time stands still.
Result<void> Operator::make_snapshot(const std::string& path) {
  system::RealClock* clock = machine_.real_clock;
  const bool stands = !clock || clock->stands_still();
  if (!stands) clock->pause();
  Result<void> saved = save_machine(machine_, options_, path);
  if (!stands) clock->resume();
  return saved;
}

Result<bool> Operator::save_now(bool goes_on) {
  std::unique_lock lock(mutex_);
  if (asked_path_ && !answer_) {
    answer_ = make_snapshot(*asked_path_);
    saved_.notify_all();
  }
  const Asked by = std::exchange(asked_file_, Asked::No);
  if (by == Asked::No) return true;
  const Result<void> saved = make_snapshot(options_.save.path);
  if (saved) return by == Asked::ByTime && goes_on;
  if (by == Asked::ByTime) return tl::unexpected(saved.error());
  // Whoever sits at the machine may try again elsewhere.
  fmt::print(stderr, "tiercel: {}\r\n", saved.error().message);
  return true;
}

void Operator::close() {
  const std::lock_guard guard(mutex_);
  closed_ = true;
  if (asked_path_ && !answer_) answer_ = fail(EINVAL, "the machine came to its end before it could be saved");
  saved_.notify_all();
}

std::string Operator::on_key(char key) {
  winsize size = {};
  switch (key) {
    case 'x':
      machine_.cpus->stop();
      return {};
    case 'p':
      press_power_button();
      return {};
    case 'w':
      if (options_.save.path.empty())
        machine_.serial->write({reinterpret_cast<const u8*>(kNoFile.data()), kNoFile.size()});
      else
        save_to_file(Asked::ByKey);
      return {};
    case 's':
      if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) return {};
      return fmt::format("stty rows {} cols {}\r", size.ws_row, size.ws_col);
    case 'h':
    case '?':
      machine_.serial->write({reinterpret_cast<const u8*>(kKeys.data()), kKeys.size()});
      return {};
    default:
      return {};
  }
}

const sigset_t& signals_that_end() {
  static const sigset_t set = [] {
    sigset_t s;
    sigemptyset(&s);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&s, signal);
    return s;
  }();
  return set;
}

/// SIGINT, SIGTERM and SIGHUP end the run in order: the terminal is restored and disks are closed. They were blocked
/// before the first thread was made.
class Signals {
 public:
  explicit Signals(Machine& m)
      : loop_(*m.loop), descriptor_(signalfd(-1, &signals_that_end(), SFD_CLOEXEC | SFD_NONBLOCK)) {
    loop_.watch(descriptor_.get(), EPOLLIN, [this, &m](u32) {
      signalfd_siginfo info;
      if (read(descriptor_.get(), &info, sizeof info) != sizeof info) return;
      received_ = static_cast<int>(info.ssi_signo);
      m.cpus->stop();
    });
  }
  ~Signals() { loop_.unwatch(descriptor_.get()); }
  /// The last one, or 0.
  int received() const { return received_; }

 private:
  system::EventLoop& loop_;
  Descriptor descriptor_;
  std::atomic<int> received_{0};
};

void print_statistics(const engine::Statistics& s) {
  fmt::print(stderr, "blocks translated {}, insns {}, link misses {}, indirect misses {}, interrupts {}, faults {}\n",
             s.blocks_translated, s.insns_translated, s.link_misses, s.indirect_misses, s.interrupts, s.faults);
  fmt::print(stderr, "host code {} KiB, segments of the code cache emptied {} times, all of it {} times\n",
             s.host_bytes >> 10, s.cache_evictions, s.cache_flushes);
  fmt::print(stderr, "executed insns: interpreted {}, fast {}, in regions {}\n", s.insns_interpreted, s.insns_fast,
             s.insns_in_regions);
  const engine::RegionStatistics& r = s.regions;
  u64 refused = 0;
  for (const u64 n : r.refused) refused += n;
  fmt::print(
      stderr,
      "regions {} of {} insns, refused {}, dropped {}, left {} times, faults {}, compilation {} ms, waited {} ms\n",
      r.regions, r.region_insns, refused, r.regions_dropped, s.region_exits, s.region_faults,
      r.region_compile_ns / 1'000'000, r.region_wait_ns / 1'000'000);
}

/// What two deterministic runs must have in common.
void print_state(Machine& m) {
  u64 memory = 0;
  const std::span<u8> ram = m.virt->board.main_ram();
  for (std::size_t i = 0; i + sizeof(u64) <= ram.size(); i += sizeof(u64)) {
    u64 word;
    std::memcpy(&word, &ram[i], sizeof word);
    memory = (memory ^ word) * 0x9e3779b97f4a7c15 + (memory >> 29);
  }
  fmt::print(stderr, "time {} ns, registers {:016x}, RAM {:016x}\n", m.clock->now(), m.cpus->state_hash(), memory);
}

void reset_board(Machine& m) {
  m.virt->board.reset();
  m.virt->gic->reset();
  m.virt->timer->reset();
  m.virt->cycles->reset();
}

/// With all CPUs off but the first.
Result<void> power_on(Machine& m, const Options& options) {
  reset_board(m);
  PAddr entry;
  u64 argument = 0;
  if (!options.kernel.empty()) {
    if (!m.kernel)
      if (const Result<void> good = read_kernel_files(m, options); !good) return good;
    const Result<system::LoadPlan> plan = system::load_kernel(*m.virt, *m.kernel);
    if (!plan) return tl::unexpected(plan.error());
    entry = plan->kernel;
    argument = plan->device_tree.value;
    m.kernel.reset();  // as much memory again
  } else if (const Result<void> good = system::prepare_firmware(*m.virt); !good) {
    return tl::unexpected(good.error());
  }
  m.cpus->power_on(entry, argument);
  return {};
}

/// From power-on or a snapshot.
Result<void> begin(Machine& m, const Options& options) {
  if (options.restore.empty()) return power_on(m, options);
  m.kernel.reset();
  reset_board(m);
  return restore_machine(m, options);
}

/// Until power-off, a reset or a pause.
Ended go_on(Machine& m) {
  if (m.insn_clock) {
    const auto serve = [&m](int timeout_ms) { m.serve_devices(timeout_ms); };
    return m.cpus->run_in_turns(*m.insn_clock, serve);
  }
  m.start_loops();
  const Ended ended = m.cpus->run();
  m.stop_loops();
  return ended;
}

u64 nanoseconds(double seconds) {
  return static_cast<u64>(seconds * 1e9);
}

enum class Outcome : u8 { Ended, Panicked };

/// Until the machine is off for good. `begun` is called when it is about to run for the first time.
Result<Outcome> run_from_begin(Machine& m, const Options& options, Operator& person,
                               const std::function<void()>& begun) {
  if (const Result<void> good = begin(m, options); !good) return tl::unexpected(good.error());
  person.begin();
  begun();
  for (;;) {
    person.ask_again();
    const Ended ended = go_on(m);
    if (ended == Ended::Paused) {
      const Result<bool> goes_on = person.save_now(options.save.goes_on);
      if (!goes_on) return tl::unexpected(goes_on.error());
      if (*goes_on) continue;
      person.tell_end(Ended::Stopped, false);
      return Outcome::Ended;
    }
    const bool resets = ended == Ended::Reset || ended == Ended::WarmReset;
    const bool panicked = (ended == Ended::WarmReset && m.panic_resets) || (m.panic_watch && m.panic_watch->panicked());
    const bool again = resets && options.reboot && !panicked;
    person.tell_end(ended, again);
    if (!again) return panicked ? Outcome::Panicked : Outcome::Ended;
    if (const Result<void> good = power_on(m, options); !good) return tl::unexpected(good.error());
  }
}

}  // namespace

void block_signals() {
  sigprocmask(SIG_BLOCK, &signals_that_end(), nullptr);
}

Result<void> run(Machine& m, const Options& options) {
  Operator person(m, options);
  const Signals signals(m);
  if (const Result<void> good = person.listen(options.control); !good) return good;
  m.on_escape = [&person](char key) { return person.on_key(key); };
  bool timed_out = false;
  const system::Clock::TimerId limit = m.clock->add_timer([&] {
    timed_out = true;
    m.cpus->stop();
  });
  const system::Clock::TimerId save = m.clock->add_timer([&person] { person.save_to_file(Operator::Asked::ByTime); });
  const Result<Outcome> outcome = run_from_begin(m, options, person, [&] {
    const u64 now = m.clock->now();
    if (options.timeout > 0) m.clock->arm(limit, now + nanoseconds(options.timeout));
    if (options.save.after > 0) m.clock->arm(save, now + nanoseconds(options.save.after));
  });
  person.close();
  person.hang_up();
  if (!outcome) return tl::unexpected(Error{kFailed, outcome.error().message});
  if (m.debugger) m.debugger->report_off();
  m.debugger.reset();
  m.serial->drain();
  m.terminal.reset();
  if (options.engine.stats) print_statistics(m.cpus->statistics());
  if (options.engine.stats && m.insn_clock) print_state(m);
  if (signals.received() != 0) {
    std::signal(signals.received(), SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &signals_that_end(), nullptr);
    std::raise(signals.received());
  }
  if (timed_out) return fail(kTimedOut, fmt::format("the guest still ran after {} s", options.timeout));
  if (*outcome == Outcome::Panicked) return fail(kPanicked, "the guest's kernel panicked");
  return {};
}

}  // namespace tiercel::machine
