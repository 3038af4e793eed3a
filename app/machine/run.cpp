#include "app/machine/run.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/machine/control.h"

namespace tiercel::machine {
namespace {

using Ended = system::ArmCpus::Ended;

constexpr std::string_view kKeys =
    "\r\n"
    "Ctrl-A x       end the machine, as if its plug were pulled\r\n"
    "Ctrl-A p       press its power button\r\n"
    "Ctrl-A s       type `stty` with this terminal's size, for a shell\r\n"
    "Ctrl-A Ctrl-A  send Ctrl-A\r\n"
    "Ctrl-A h       this\r\n";

/// What a person at the machine does, on the I/O thread, or a program, on the control socket's.
class Operator final : public Controls {
 public:
  explicit Operator(Machine& m)
      : machine_(m), release_(m.clock->add_timer([&m] { m.virt->buttons->set_input(kButton, false); })) {}
  /// Also lets a program do it.
  Result<void> listen(const std::string& where);
  void hang_up() { socket_.reset(); }
  /// Gives what is to be typed.
  std::string on_key(char key);
  /// The machine has come to an end, or begins `again`.
  void tell_end(Ended how, bool again);

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

 private:
  static constexpr unsigned kButton = system::VirtMachine::kPowerButton;
  static constexpr u64 kPressNs = 100'000'000;  // drivers look some time after the interrupt
  void tell(const char* event, const nlohmann::json& data = nullptr) {
    if (socket_) socket_->event(event, data);
  }

  Machine& machine_;
  system::Clock::TimerId release_;
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

std::string Operator::on_key(char key) {
  winsize size = {};
  switch (key) {
    case 'x':
      machine_.cpus->stop();
      return {};
    case 'p':
      press_power_button();
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

/// From power-on to power-off or a reset.
Result<Ended> run_once(Machine& m) {
  m.virt->board.reset();
  m.virt->gic->reset();
  m.virt->timer->reset();
  PAddr entry;
  u64 argument = 0;
  if (m.kernel) {
    const Result<system::LoadPlan> plan = system::load_kernel(*m.virt, *m.kernel);
    if (!plan) return tl::unexpected(plan.error());
    entry = plan->kernel;
    argument = plan->device_tree.value;
  } else if (const Result<void> good = system::prepare_firmware(*m.virt); !good) {
    return tl::unexpected(good.error());
  }
  if (m.insn_clock) {
    const auto serve = [&m](int timeout_ms) { m.serve_devices(timeout_ms); };
    return m.cpus->run_in_turns(entry, argument, *m.insn_clock, serve);
  }
  m.start_loops();
  const Ended ended = m.cpus->run(entry, argument);
  m.stop_loops();
  return ended;
}

}  // namespace

void block_signals() {
  sigprocmask(SIG_BLOCK, &signals_that_end(), nullptr);
}

Result<void> run(Machine& m, const Options& options) {
  Operator person(m);
  const Signals signals(m);
  if (const Result<void> good = person.listen(options.control); !good) return good;
  m.on_escape = [&person](char key) { return person.on_key(key); };
  bool timed_out = false;
  const system::Clock::TimerId limit = m.clock->add_timer([&] {
    timed_out = true;
    m.cpus->stop();
  });
  if (options.timeout > 0) m.clock->arm(limit, m.clock->now() + static_cast<u64>(options.timeout * 1e9));
  Ended ended;
  bool panicked = false, again = false;
  do {
    const Result<Ended> how = run_once(m);
    if (!how) return tl::unexpected(Error{kFailed, how.error().message});
    ended = *how;
    panicked = ended == Ended::WarmReset && m.panic_resets;
    again = (ended == Ended::Reset || ended == Ended::WarmReset) && options.reboot && !panicked;
    person.tell_end(ended, again);
  } while (again);
  person.hang_up();
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
  if (panicked) return fail(kPanicked, "the guest's kernel panicked");
  return {};
}

}  // namespace tiercel::machine
