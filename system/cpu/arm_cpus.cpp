#include "system/cpu/arm_cpus.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.h"
#include "engine/tlb.h"
#include "engine/translator.h"
#include "system/cpu/core_registers.h"
#include "system/cpu/tlb_requests.h"

namespace tiercel::system {

/// The bus, page by page.
class ArmCpus::Memory final : public guest::PhysicalMemory {
 public:
  Bus* bus = nullptr;
  Direct direct(PAddr address) override {
    const Bus::Direct d = bus->direct(address);
    return {d.host, d.writable};
  }
  std::optional<u64> read(PAddr address, unsigned bytes) override { return bus->read(address, bytes); }
  bool write(PAddr address, unsigned bytes, u64 value) override { return bus->write(address, bytes, value); }
};

class ArmCpus::Space final : public engine::AddressSpace {
 public:
  explicit Space(Memory& memory) : memory_(memory) {}
  std::span<const u8> code_window(VAddr) override { return {}; }
  std::span<const u8> code_of(const guest::BlockKey& key) override {
    const u8* host = memory_.direct(PAddr{key.location()}).host;
    if (!host) return {};
    return {host, kPageSize - key.location() % kPageSize};
  }
  u64 flat_base() const override { return 0; }
  guest::PhysicalMemory* physical() override { return &memory_; }

 private:
  Memory& memory_;
};

struct ArmCpus::Cpu final : arm::CorePlatform, engine::StopHandler {
  Cpu(ArmCpus& m, unsigned n)
      : machine(m),
        number(n),
        vcpu(m.engine_->make_vcpu()),
        tlb_requests(*vcpu->tlb()),
        core(m.model_, *m.frontend_, *static_cast<arm::A64SystemState*>(vcpu->state()), *this) {
    vcpu->attach_machine(*this, static_cast<arm::CorePlatform*>(this));
  }

  ArmCpus& machine;
  const unsigned number;
  std::unique_ptr<engine::Vcpu> vcpu;
  TlbRequests tlb_requests;
  u16 space = 0;  // the address space that tlb_requests knows
  arm::A64Core core;
  // With a session. The CPU counts as in a call whenever it is not in run_guest.
  std::unique_ptr<debug::Runner> runner;

  // Set by anybody; `mutex` guards the sleeping. After a change the vCPU is asked to leave.
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> irq{false}, fiq{false};
  std::atomic<Power> power{Power::Off};
  PAddr entry;
  u64 argument = 0;

  void wake() {
    vcpu->request_exit();
    const std::lock_guard guard(mutex);
    changed.notify_all();
  }

  // What the CPU has done since somebody began to watch it.
  std::atomic<bool> waits{false}, has_waited{false}, was_in_el0{false};

  // When CPUs take turns.
  s64 granted = 0;      // of the budget, since time was last brought up to date
  bool sleeps = false;  // in WFI

  void loop();
  void switch_on();
  bool take_turn();
  void keep_time();
  void limit_turn();
  void run_guest();
  bool wait_until_on();
  void act(const engine::Stop& stop);
  void go_on();
  void run_debugged();
  bool take_pending();
  void serialize(Archive& state);
  bool handle(const engine::Stop& stop) override;

  // CorePlatform
  std::optional<u64> read_register(u32 encoding) override {
    if (encoding == kIsr) return (irq ? 1u << 7 : 0) | (fiq ? 1u << 6 : 0);
    return read_core_register(machine.gic_, *machine.timer_, number, encoding);
  }
  bool write_register(u32 encoding, u64 value) override {
    return write_core_register(machine.gic_, *machine.timer_, number, encoding, value);
  }
  void firmware_call(arm::A64SystemState& s) override {
    s.x[0] = machine.psci_.call(number, static_cast<u32>(s.x[0]), {s.x[1], s.x[2], s.x[3]});
  }
  void wait_for_interrupt() override;
  void wait_for_event() override;
  u64 virtual_count() override {
    if (machine.turns_) keep_time();
    return machine.timer_->count(number, GenericTimer::kVirtual);
  }
  u64 cycles() override {
    if (machine.turns_) keep_time();
    return machine.timer_->nanoseconds();
  }
  void cycle_overflow(bool interrupts, u64 at) override { machine.cycles_->set(number, interrupts, at); }
  void address_space_changed() override;
  void invalidate_tlb(const TlbScope& scope) override {
    tlb_requests.apply(scope);
    if (scope.everywhere) machine.invalidate_tlbs(number, scope);
  }
  void invalidate_code(PAddr address, u64 bytes) override { machine.engine_->invalidate_physical(address, bytes); }
  guest::PhysicalMemory& memory() override { return *machine.memory_; }
};

void ArmCpus::Cpu::address_space_changed() {
  const auto now = static_cast<u16>(machine.frontend_->mmu()->context(vcpu->state(), false));
  if (now != space) tlb_requests.enter_space(space = now);
}

/// Interrupts and what else comes before the next insn. False: the CPU does not go on.
bool ArmCpus::Cpu::take_pending() {
  if (power != Power::On || machine.ended_) return false;
  if (static_cast<const arm::A64SystemState*>(vcpu->state())->el() == 0)
    was_in_el0.store(true, std::memory_order_relaxed);
  const bool i = irq, f = fiq;
  // A step is for one insn, not for the interrupts that came up while the debugger thought.
  const bool steps = runner && runner->stepping();
  if (steps || !core.take_interrupt(i, f)) core.take_illegal_state();
  vcpu->set_masked_request(i || f);
  return true;
}

bool ArmCpus::Cpu::handle(const engine::Stop& stop) {
  if (!machine.turns_) {
    act(stop);
    return take_pending() && !core.debugged();
  }
  keep_time();
  act(stop);
  limit_turn();
  return !sleeps && take_pending() && !core.debugged();
}

/// The insns since the last time.
void ArmCpus::Cpu::keep_time() {
  machine.turns_->retire(static_cast<u64>(granted - vcpu->budget()));
  granted = vcpu->budget();
}

/// A turn ends when something becomes due.
void ArmCpus::Cpu::limit_turn() {
  const u64 most = machine.turns_->insns_until(machine.turns_->next_deadline());
  if (granted > 0 && most < static_cast<u64>(granted)) vcpu->set_budget(granted = static_cast<s64>(most));
}

/// False: it is off, or sleeps.
bool ArmCpus::Cpu::take_turn() {
  constexpr s64 kTurn = 20'000;  // insns
  if (power == Power::Off || (sleeps && !irq && !fiq)) return false;
  vcpu->attach();
  if (power == Power::Starting) switch_on();
  sleeps = false;
  core.report_overflow();
  tlb_requests.resume();
  vcpu->set_budget(granted = kTurn);
  limit_turn();
  while (power == Power::On && !machine.ended_ && !sleeps && vcpu->budget() > 0) {
    vcpu->clear_exit_request();
    if (tlb_requests.asked()) tlb_requests.serve();
    if (take_pending()) go_on();
    keep_time();
  }
  tlb_requests.pause();
  return true;
}

void ArmCpus::Cpu::wait_for_interrupt() {
  has_waited = true;
  if (machine.turns_) {
    sleeps = !irq && !fiq;
    return;
  }
  waits = true;
  tlb_requests.pause();
  {
    const debug::Runner::Call call(runner.get());
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return irq || fiq || machine.ended_; });
  }
  waits = false;
  tlb_requests.resume();
}

/// Who has what this one waits for, a lock mostly, may need the host's CPU.
void ArmCpus::Cpu::wait_for_event() {
  if (!machine.turns_) sched_yield();
}

bool ArmCpus::Cpu::wait_until_on() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return power != Power::Off || machine.ended_; });
  if (machine.ended_) return false;
  if (power == Power::Starting) switch_on();
  return true;
}

void ArmCpus::Cpu::switch_on() {
  core.reset(entry.value, number);
  static_cast<arm::A64SystemState*>(vcpu->state())->x[0] = argument;
  address_space_changed();
  sleeps = false;
  power = Power::On;
}

void ArmCpus::Cpu::act(const engine::Stop& stop) {
  using Kind = engine::Stop::Kind;
  switch (stop.kind) {
    case Kind::System:
      return core.execute(static_cast<u32>(stop.payload));
    case Kind::Syscall:
      return core.take_svc(static_cast<u16>(stop.payload));
    case Kind::Fault:
      return core.take_fault(stop.fault);
    case Kind::Breakpoint:
      return core.take_breakpoint(static_cast<u16>(stop.payload));
    case Kind::Undefined:
    case Kind::Unimplemented:
      return core.take_undefined();
    case Kind::Interrupt:
      return;
    case Kind::DebugBreak:
    case Kind::DebugWatch:
      UNREACHABLE();  // the runner's
  }
}

void ArmCpus::Cpu::go_on() {
  if (core.debugged()) return run_debugged();
  act(runner ? runner->run() : vcpu->run());
}

/// The guest debugs itself: one insn, or the exception before it.
void ArmCpus::Cpu::run_debugged() {
  if (runner) {
    // The machine's debugger, or whoever controls it, may want it to stand still.
    tlb_requests.pause();
    { const debug::Runner::Call stands(runner.get()); }
    tlb_requests.resume();
  }
  if (core.take_debug_exception()) return;
  std::vector<engine::Watch> watches;
  for (const auto& data : core.watched_data()) watches.push_back({data.start, data.size, data.reads, data.writes});
  const u32 word = core.next_insn();
  const u64 pc = vcpu->pc();
  const std::optional<engine::Stop> stop = vcpu->step(watches);
  vcpu->set_budget(vcpu->budget() - 1);
  if (stop && stop->kind == engine::Stop::Kind::DebugWatch)
    return core.take_watchpoint(stop->payload, stop->fault.access == guest::Access::Write);
  if (!stop || stop->kind == engine::Stop::Kind::Syscall) core.note_step(word);
  if (!stop) return;
  act(*stop);
  // What the core executes itself is done with, unless it took an exception.
  if (stop->kind == engine::Stop::Kind::System && vcpu->pc() == pc + 4) core.note_step(word);
}

/// Until this CPU is switched off or the machine ends.
void ArmCpus::Cpu::run_guest() {
  if (runner) runner->leave_call();
  core.report_overflow();
  tlb_requests.resume();
  while (power == Power::On && !machine.ended_) {
    vcpu->clear_exit_request();
    std::atomic_thread_fence(std::memory_order_seq_cst);  // what came before the request that was just cleared is seen
    if (tlb_requests.asked()) tlb_requests.serve();
    if (take_pending()) go_on();
  }
  tlb_requests.pause();
  if (runner) runner->enter_call();
}

void ArmCpus::Cpu::loop() {
  vcpu->attach();
  while (wait_until_on()) run_guest();
}

ArmCpus::ArmCpus(unsigned cpus, const arm::CpuModel& model, const engine::Options& options,
                 const engine::MakeRegionService& make_service)
    : frontend_(arm::make_a64_system_frontend(model)),
      model_(model),
      memory_(std::make_unique<Memory>()),
      space_(std::make_unique<Space>(*memory_)),
      engine_(std::make_unique<engine::Engine>(*frontend_, *space_, options,
                                               options.wants_regions() && make_service
                                                   ? make_service(engine::vm_layout(*frontend_, *space_, options))
                                                   : nullptr)) {
  for (unsigned i = 0; i < cpus; ++i) cpus_.push_back(std::make_unique<Cpu>(*this, i));
}

ArmCpus::~ArmCpus() = default;

void ArmCpus::connect(Bus& bus, Gic3* gic, GenericTimer& timer, CycleInterrupts& cycles) {
  bus_ = memory_->bus = &bus;
  gic_ = gic;
  timer_ = &timer;
  cycles_ = &cycles;
  bus.on_remap([this] { invalidate_tlbs(this->cpus(), {}); });
}

guest::PhysicalMemory& ArmCpus::physical() {
  return *memory_;
}

void ArmCpus::join(debug::Session& session) {
  session_ = &session;
  for (const auto& cpu : cpus_) {
    Cpu& c = *cpu;
    c.runner = session.make_runner({.id = c.number + 1, .vcpu = c.vcpu.get(), .on_wait = [&c](bool waits) {
                                      waits ? c.tlb_requests.pause() : c.tlb_requests.resume();
                                    }});
    c.runner->enter_call();
  }
}

void ArmCpus::part() {
  for (const auto& cpu : cpus_) cpu->runner.reset();
  session_ = nullptr;
}

void ArmCpus::power_on(PAddr entry, u64 argument) {
  for (const auto& cpu : cpus_) cpu->power = Power::Off;
  start(0, entry, argument);
}

ArmCpus::Ended ArmCpus::run() {
  std::vector<std::thread> threads;
  for (const auto& cpu : cpus_) threads.emplace_back([&cpu] { cpu->loop(); });
  for (std::thread& t : threads) t.join();
  return how_it_ended();
}

/// Also, it is over.
ArmCpus::Ended ArmCpus::how_it_ended() {
  if (session_) session_->world().start_again();
  ended_ = false;
  return how_;
}

ArmCpus::Ended ArmCpus::run_in_turns(InsnClock& clock, const std::function<void(int)>& serve) {
  turns_ = &clock;
  while (!ended_) {
    bool any = false;
    for (const auto& cpu : cpus_)
      if (!ended_ && cpu->take_turn()) any = true;
    serve(0);
    if (any || ended_) continue;
    const auto can_run = [](const auto& cpu) {
      return cpu->power != Power::Off && (!cpu->sleeps || cpu->irq || cpu->fiq);
    };
    if (std::any_of(cpus_.begin(), cpus_.end(), can_run)) continue;
    const u64 next = clock.next_deadline();
    if (next == Clock::kNever)
      serve(-1);
    else
      clock.skip_to(next);
  }
  turns_ = nullptr;
  return how_it_ended();
}

void ArmCpus::Cpu::serialize(Archive& state) {
  Power now = power;
  u32 fp_status = vcpu->fp_status();
  state(now, entry.value, argument, sleeps, fp_status);
  state.bytes({static_cast<u8*>(vcpu->state()), machine.frontend_->layout().state_size});
  if (!state.loads()) return;
  state.require(now <= Power::On && core.restore(number));
  power = now;
  vcpu->set_fp_status(fp_status);
  address_space_changed();
}

/// Changes when the state block or the CPU model does.
u64 ArmCpus::layout_hash() const {
  u64 hash = arm::fingerprint(model_);
  const auto mix = [&hash](u64 value) { hash = (hash ^ value) * 0x100000001b3; };
  mix(frontend_->layout().state_size);
  for (const ir::SlotInfo& slot : frontend_->layout().slots) {
    mix(slot.offset);
    for (const char* c = slot.name; *c; ++c) mix(static_cast<u8>(*c));
  }
  return hash;
}

Result<void> ArmCpus::serialize(Snapshot& snapshot) {
  const Result<void> same = snapshot.section("CPU model", [this](Archive& state) {
    u64 hash = layout_hash();
    state(hash);
    if (hash != layout_hash()) state.refuse("its CPUs had other registers than this version of tiercel gives them");
  });
  if (!same) return same;
  for (const auto& cpu : cpus_)
    if (Result<void> done =
            snapshot.section(fmt::format("CPU {}", cpu->number), [&](Archive& s) { cpu->serialize(s); });
        !done)
      return done;
  return {};
}

u64 ArmCpus::state_hash() const {
  u64 hash = 0;
  for (const auto& cpu : cpus_) {
    const auto* bytes = static_cast<const u8*>(cpu->vcpu->state());
    for (u32 i = 0; i < frontend_->layout().state_size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  return hash;
}

void ArmCpus::watch() {
  for (const auto& cpu : cpus_) {
    cpu->was_in_el0 = false;
    cpu->has_waited = cpu->waits || (turns_ && cpu->sleeps);
  }
}

bool ArmCpus::only_spun() const {
  bool spins = false;
  for (const auto& cpu : cpus_) {
    if (cpu->was_in_el0) return false;
    spins |= cpu->power == Power::On && !cpu->has_waited;
  }
  return spins;
}

void ArmCpus::end(Ended how) {
  if (ended_.exchange(true)) return;
  how_ = how;
  for (const auto& cpu : cpus_) cpu->wake();
  if (session_) session_->world().let_go();
}

void ArmCpus::set_interrupts(unsigned cpu, bool irq, bool fiq) {
  Cpu& c = *cpus_[cpu];
  c.irq = irq;
  c.fiq = fiq;
  if (irq || fiq) c.wake();
}

unsigned ArmCpus::current_cpu() const {
  const engine::Vcpu* current = engine::Vcpu::current();
  for (const auto& cpu : cpus_)
    if (cpu->vcpu.get() == current) return cpu->number;
  UNREACHABLE();  // nobody else's accesses reach an interrupt controller
}

PsciHost::Power ArmCpus::power(unsigned cpu) const {
  return cpus_[cpu]->power;
}

bool ArmCpus::can_execute(PAddr entry) const {
  return bus_->direct(entry).host != nullptr;
}

bool ArmCpus::start(unsigned cpu, PAddr entry, u64 context) {
  Cpu& c = *cpus_[cpu];
  const std::lock_guard guard(c.mutex);
  if (c.power != Power::Off) return false;
  c.entry = entry;
  c.argument = context;
  c.power = Power::Starting;
  c.changed.notify_all();
  return true;
}

void ArmCpus::stop_self(unsigned cpu) {
  cpus_[cpu]->power = Power::Off;
}

void ArmCpus::suspend_self(unsigned cpu) {
  cpus_[cpu]->wait_for_interrupt();
}

/// The other CPUs' part of an invalidation by CPU `by`, which waits for them; cpus(): by nobody, who does not.
void ArmCpus::invalidate_tlbs(unsigned by, const arm::CorePlatform::TlbScope& scope) {
  std::vector<TlbRequests::Ticket> tickets(cpus_.size());
  bool wait = false;
  for (unsigned i = 0; i < cpus_.size(); ++i) {
    if (i == by) continue;
    tickets[i] = cpus_[i]->tlb_requests.ask(scope);
    if (tickets[i] == TlbRequests::kNothingToWaitFor) continue;
    cpus_[i]->vcpu->request_exit();
    wait = true;
  }
  if (by == cpus() || !wait) return;
  // One that waits for us must not.
  cpus_[by]->tlb_requests.pause();
  for (unsigned i = 0; i < cpus_.size(); ++i) cpus_[i]->tlb_requests.wait(tickets[i]);
  cpus_[by]->tlb_requests.resume();
}

}  // namespace tiercel::system
