// The dispatcher: find or make code, run it, act on why it came back.
#include "engine/vcpu.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "backend/fp_control.h"
#include "backend/interp/interp.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/mxcsr.h"
#include "base/time.h"
#include "engine/engine_private.h"
#include "engine/flat_memory.h"
#include "engine/lockstep.h"

namespace tiercel::engine {
namespace {

/// What leaves the run loop; nothing: go on.
using MaybeStop = std::optional<Stop>;

Stop stop(Stop::Kind kind, u64 payload = 0) {
  return Stop{kind, payload, {}};
}

}  // namespace

/// One call of run(): the loop's steps.
struct Vcpu::Run {
  Vcpu& vcpu;
  Engine::Private& e;
  Vcpu::Private& p;
  backend::VmContext& c;
  u64 pc = 0;
  u32 space = 0;          // of pc, see next_locked
  bool relative = false;  // code of this mode is
  std::span<const Watch> watches;
  const Watch* watch_hit = nullptr;
  u64 watched_address = 0;

  explicit Run(Vcpu& v) : vcpu(v), e(*v.engine_.private_), p(*v.private_), c(*v.context_) {}

  u64& state_pc() { return *reinterpret_cast<u64*>(static_cast<u8*>(vcpu.state()) + e.frontend.layout().pc_offset); }
  u64 page() const { return align_down(pc, kPageSize); }
  guest::BlockKey key() const {
    if (!relative) return {pc, p.mode, space};
    return {pc - page(), p.mode, space | guest::BlockKey::kRelative};
  }
  CodeView view() { return {vcpu.tlb(), relative ? page() : 0}; }

  /// Adopts what the state block says: pc, mode bits, FP control.
  void load_mode() {
    const guest::BlockKey now = e.frontend.key(vcpu.state());
    pc = now.pc;
    const bool changed = !p.mode_known || now.mode != p.mode;
    p.mode = now.mode;
    p.mode_known = true;
    relative = p.tlb && e.frontend.may_be_relative(p.mode) && e.may_be_relative.load(std::memory_order_relaxed);
    if (p.tlb) {
      p.tlb->select(p.mode);
      vcpu.adopt_jumps();
    } else if (changed) {
      vcpu.forget_predictions();  // they do not name the mode
    }
    const guest::FpControl control = e.frontend.fp_control(vcpu.state());
    c.mxcsr = backend::mxcsr_for(control.rounding, control.host_flush, c.mxcsr, c.fp_extra);
  }

  /// No memory, in a machine.
  NextBlock not_executable() const {
    const u32 status = p.tlb ? e.frontend.mmu()->external_status() : 0;
    return {.not_executable = true, .fault = {VAddr{pc}, guest::Access::Execute, false, status}};
  }

  /// Finds the code at pc: `space`. False: it is not executable.
  bool find_space() {
    if (!p.tlb) return true;
    relative = relative && e.may_be_relative.load();  // a breakpoint may have been set
    const std::optional<u32> found = p.tlb->code_space(pc);
    if (found) space = *found;
    return found.has_value();
  }
  NextBlock not_mapped() const { return {.not_executable = true, .fault = p.tlb->fault()}; }

  NextBlock next_locked() {
    if (!find_space()) return not_mapped();
    if (e.translator->breakpoints.contains(pc)) return {.breakpoint = true};
    CachedBlock* block = e.find_or_translate(key(), view());
    p.epoch = e.epoch.load();  // translation may have cleared the cache
    if (!block) return not_executable();
    if (relative) e.mappings.note(block->key.space, page());
    if (e.options.lockstep) return {nullptr, block};
    return {block->host, block};
  }

  NextBlock next_locked_and_remember() {
    const bool first = p.tlb && !p.tlb->known_code_space(pc);  // that is executed in its page
    const NextBlock n = next_locked();
    if (!n.host) return n;
    p.jumps().insert(pc, n.host);
    if (!relative) return n;
    e.mappings.note_jump(plain_of(*n.block));
    if (first) remember_page();
    return n;
  }

  /// Brings along where jumps led into this page in other processes: most of it will be asked for.
  void remember_page() {
    for (const CachedBlock* b : e.mappings.targets(key().space)) {
      if (b->dead || b->key.mode != p.mode) continue;
      const CachedBlock* named = b->own_details ? e.cache.find(b->key) : b;
      if (named && named->host) p.jumps().insert(page() + b->key.pc, named->host);
    }
  }

  NextBlock next() {
    // The epoch first: an entry that a clearing of the cache leaves behind must not look newer than it is.
    p.epoch = e.epoch.load();
    if (const void* host = p.jumps().find(pc)) return {static_cast<const u8*>(host)};
    const std::lock_guard guard(e.lock);
    return next_locked_and_remember();
  }

  /// After LinkMiss: patches the exit if its target has code.
  NextBlock next_linked() {
    reconsider_hot_code();
    const std::lock_guard guard(e.lock);
    ++p.stats.link_misses;
    const u32 before = e.epoch.load();
    // The site is only meaningful while the cache it lies in has not been cleared.
    const bool site_valid = p.epoch == before;
    NextBlock n = next_locked();
    if (n.host && site_valid && e.epoch.load() == before) {
      CachedExit& exit = e.cache.exit_at(c.exit_site);
      // A machine may have mapped other memory there while the block ran.
      if (exit.target_pc == key().pc && exit.from().key.space == key().space) e.link(exit, *n.block);
    }
    return n;
  }

  NextBlock next_hot() {
    reconsider_hot_code();
    const std::lock_guard guard(e.lock);
    ++p.stats.hot_exits;
    if (!find_space()) return not_mapped();
    vcpu.hot_counters()[c.exit_arg % backend::kHotCounters] =
        static_cast<s32>(e.regions.heat(key(), *e.translator, view()));
    e.install_regions();
    return next_locked();
  }

  /// A region that stops very often, say at a device's registers, serves worse than its blocks.
  void note_region_fault() {
    ++p.stats.region_faults;
    if (!c.region_faults) return;
    CachedBlock* region = e.cache.containing(reinterpret_cast<u64>(c.region_faults));
    if (region && region->plain() && !region->dead && stops_often(*region)) e.drop_region(*region);
  }

  bool stops_often(CachedBlock& region) {
    constexpr u32 kOften = 4096;
    if (p.tlb) return ++e.cache.details_of(region).stopped == kOften;
    return e.options.tier == Tier::Auto && e.cache.details_of(region).faulted.add(monotonic_ns());
  }

  /// One execution outside regions, of the insn that faulted inside.
  NextBlock next_plain() {
    const std::lock_guard guard(e.lock);
    note_region_fault();
    if (!find_space()) return not_mapped();
    CachedBlock* block = e.find_plain(key());
    p.epoch = e.epoch.load();
    if (!block) return not_executable();
    return {block->host, block};
  }

  /// The region at pc has code in a page that this vCPU's TLB does not know. It is entered after all if that page is
  /// mapped where it was.
  NextBlock next_moved() {
    constexpr u32 kOften = 64;
    const std::lock_guard guard(e.lock);
    NextBlock n = next_locked();
    if (!n.block || !n.block->plain()) return n;
    CachedBlock& region = *n.block;
    const std::span<const backend::TlbCodePage> pages = region.details().pages;
    for (const backend::TlbCodePage& other : pages) p.tlb->code_space(view().page + other.page);
    const bool all = std::all_of(pages.begin(), pages.end(), [&](const backend::TlbCodePage& other) {
      return p.tlb->known_code_space(view().page + other.page) == other.space;
    });
    if (all) return n;
    CachedBlock& head = *region.plain();
    if (++e.cache.details_of(region).moved == kOften) e.drop_region(region);
    return {head.host, &head};
  }

  NextBlock next_indirect() {
    const std::lock_guard guard(e.lock);
    ++p.stats.indirect_misses;
    return next_locked_and_remember();
  }

  /// False: the world is stopping or the code is gone; look it up again.
  bool enter_code() {
    p.in_code.store(1);  // seq_cst: before the tests, see Engine::Private::flush
    if (e.world_stopped.load() == 0 && e.epoch.load() == p.epoch) return true;
    p.in_code.store(0, std::memory_order_release);
    return false;
  }
  void leave_code() { p.in_code.store(0, std::memory_order_release); }

  backend::InterpResult interpret(const ir::Function& f) {
    if (p.tlb) {
      TranslatedMemory memory(*p.tlb);
      return interpret(f, memory);
    }
    TaggedMemory memory(e.frontend, c.memory_base);
    return interpret(f, memory);
  }

  backend::InterpResult interpret(const ir::Function& f, backend::InterpMemory& memory) {
    p.guarded_fault = ~u64{0};
    c.code_page = page();
    const mxcsr::Lent lent(c.mxcsr);
    WatchedMemory watched(e.frontend, memory, watches);
    backend::InterpMemory& seen = watches.empty() ? memory : watched;
    auto r = backend::interpret(f, e.frontend.layout().slots, c, seen);
    watch_hit = watched.hit();
    watched_address = watched.address();
    r.fault_address = e.frontend.data_address(r.fault_address);
    // An access that crosses into a page which faults: the address is there, as in generated code.
    constexpr u64 kWidest = sizeof(U128);
    const u64 exact = p.guarded_fault - c.memory_base;
    if (r.reason == backend::Reason::Fault && exact - r.fault_address < kWidest) r.fault_address = exact;
    return r;
  }

  void interpret_block(const CachedBlock& block) {
    const auto r = interpret(*block.details().function);
    c.reason = r.reason;
    if (r.reason != backend::Reason::Fault) return;
    p.fault_address = r.fault_address;
    p.fault_is_write = r.fault_is_write;
    p.fault_host_pc = 0;
  }

  void execute(const NextBlock& n) {
    if (!e.options.stats) return execute_code(n);
    const u64 begin = thread_cpu_ns();
    execute_code(n);
    p.stats.code_ns += thread_cpu_ns() - begin;
  }

  void execute_code(const NextBlock& n) {
    c.reason = backend::Reason::None;
    c.code_page = page();
    if (n.host) {
      e.enter(&c, n.host);
    } else if (n.block->host && e.options.lockstep) {
      run_lockstep(e, vcpu, *n.block);
    } else if (spend(*n.block)) {
      interpret_block(*n.block);
    }
  }

  /// As generated code does when a block begins.
  bool spend(const CachedBlock& block) {
    if (!e.options.counts_insns) return true;
    if (c.budget <= 0) {
      c.reason = backend::Reason::Interrupt;
      c.exit_pc = pc;
      return false;
    }
    c.budget -= block.insn_count;
    return true;
  }

  Stop fault_stop() {
    ++p.stats.faults;
    if (p.fault_host_pc != 0) {
      const std::lock_guard guard(e.lock);
      vcpu.locate_fault();
      pc = p.fault_guest_pc;
    } else {
      pc = c.exit_pc;
    }
    state_pc() = pc;
    Stop s{Stop::Kind::Fault, 0, {}};
    if (p.tlb) {
      s.fault = p.tlb->fault();
      return s;
    }
    s.fault.address = VAddr{p.fault_address};
    s.fault.access = p.fault_is_write ? guest::Access::Write : guest::Access::Read;
    return s;
  }

  Stop misaligned_stop() {
    ++p.stats.faults;
    state_pc() = pc = c.exit_pc;
    Stop s{Stop::Kind::Fault, 0, {}};
    s.fault.address = VAddr{e.frontend.data_address(c.exit_arg)};
    s.fault.access = c.exit_payload != 0 ? guest::Access::Write : guest::Access::Read;
    s.fault.misaligned = true;
    return s;
  }

  /// A fault whose address the host did not tell: non-canonical. Guests may use address bits the host does not have
  /// (Arm's top-byte-ignore), so the insn is interpreted once with the address the guest's rules give.
  MaybeStop retry_with_guest_address() {
    Stop s = fault_stop();
    ir::Function f;
    {
      const std::lock_guard guard(e.lock);
      if (!e.translator->translate_raw(key(), 1)) return s;
      f = e.translator->function();
    }
    const auto r = interpret(f);
    if (r.reason == backend::Reason::Fault) {
      s.fault.address = VAddr{r.fault_address};
      s.fault.access = r.fault_is_write ? guest::Access::Write : guest::Access::Read;
      return s;
    }
    --p.stats.faults;
    pc = c.exit_pc;
    return {};
  }

  /// A machine: the insn at pc, whose access the TLB does not do in line: a device, two pages, or a fault.
  MaybeStop interpret_one() {
    if (p.tlb->refused()) {
      p.fault_host_pc = 0;
      return fault_stop();
    }
    ir::Function f;
    {
      const std::lock_guard guard(e.lock);
      const std::optional<u32> found = p.tlb->code_space(pc);
      if (found) space = *found;
      if (!found || !e.translator->translate_raw(key(), 1)) return {};  // the next look-up finds the same
      f = e.translator->function();
    }
    const auto r = interpret(f);
    p.fault_host_pc = 0;
    if (r.reason == backend::Reason::Fault) return fault_stop();
    if (r.reason == backend::Reason::Misaligned) return misaligned_stop();
    pc = c.exit_pc;
    return {};
  }

  /// The insn at pc as a block of its own; null: not executable.
  const ir::Function* single_insn() {
    if (!p.single_insns) p.single_insns = std::make_unique<SingleInsns>();
    SingleInsns& known = *p.single_insns;
    constexpr std::size_t kMany = 1 << 16;
    const u64 changes = e.changes.load();
    if (known.changes != changes || known.functions.size() >= kMany) known.functions.clear();
    known.changes = changes;
    const auto it = known.functions.find(key());
    if (it != known.functions.end()) return &it->second;
    const std::lock_guard guard(e.lock);
    if (!e.translator->translate_raw(key(), 1)) return nullptr;
    return &known.functions.emplace(key(), e.translator->function()).first->second;
  }

  MaybeStop step() {
    load_mode();
    if (std::atomic_ref(c.exit_request).load(std::memory_order_relaxed))
      if (auto s = interrupted()) return s;
    if (p.tlb) {
      const std::optional<u32> found = p.tlb->code_space(pc);
      if (!found) return Stop{Stop::Kind::Fault, 0, p.tlb->fault()};
      space = *found;
    }
    const ir::Function* insn = single_insn();
    if (!insn) return Stop{Stop::Kind::Fault, 0, not_executable().fault};
    const auto r = interpret(*insn);
    p.fault_host_pc = 0;
    p.fault_address = r.fault_address;
    p.fault_is_write = r.fault_is_write;
    state_pc() = pc = c.exit_pc;
    switch (r.reason) {
      case backend::Reason::None:
        return {};
      case backend::Reason::Fault:
        if (!watch_hit) return fault_stop();
        return Stop{Stop::Kind::DebugWatch,
                    watched_address,
                    {.address = VAddr{watch_hit->start},
                     .access = r.fault_is_write ? guest::Access::Write : guest::Access::Read}};
      case backend::Reason::Misaligned:
        return misaligned_stop();
      default:
        return act_on_exit(
            static_cast<ir::ExitKind>(static_cast<u32>(r.reason) - static_cast<u32>(backend::Reason::kExitBase)));
    }
  }

  /// Where vCPUs come by now and then anyway.
  void reconsider_hot_code() {
    if (!e.regions.counting().may_reconsider()) return;
    const std::lock_guard guard(e.lock);
    for (const u32 counter : e.regions.counting().reconsider())  // the hottest of them asks first
      vcpu.hot_counters()[counter] = static_cast<s32>(e.options.warm());
  }

  MaybeStop interrupted() {
    ++p.stats.interrupts;
    reconsider_hot_code();
    state_pc() = pc;
    if (p.exit_requested.load(std::memory_order_relaxed)) return stop(Stop::Kind::Interrupt);
    if (e.options.counts_insns && c.budget <= 0) return stop(Stop::Kind::Interrupt);
    vcpu.clear_exit_request();  // a poke of ours: the world was stopped
    return {};
  }

  MaybeStop act_on_exit(ir::ExitKind kind) {
    state_pc() = pc;
    switch (kind) {
      case ir::ExitKind::Syscall:
        return stop(Stop::Kind::Syscall, c.exit_payload);
      case ir::ExitKind::Breakpoint:
        return stop(Stop::Kind::Breakpoint, c.exit_payload);
      case ir::ExitKind::Undefined:
        return stop(Stop::Kind::Undefined, c.exit_payload);
      case ir::ExitKind::Unimplemented:
        ++p.stats.unimplemented;
        return stop(Stop::Kind::Unimplemented, c.exit_payload);
      case ir::ExitKind::InvalidateCode:
        vcpu.engine_.invalidate(VAddr{c.exit_arg}, c.exit_payload);
        return {};
      case ir::ExitKind::ModeChange:
        load_mode();
        return {};
      case ir::ExitKind::Yield:
        sched_yield();
        return {};
      case ir::ExitKind::System:
        return stop(Stop::Kind::System, c.exit_payload);
      case ir::ExitKind::Unmask:
        return stop(Stop::Kind::Interrupt);
    }
    UNREACHABLE();
  }

  /// Acts on the reason for leaving and finds what comes next.
  MaybeStop act(NextBlock& n) {
    switch (c.reason) {
      case backend::Reason::LinkMiss:
        pc = c.exit_pc;
        n = next_linked();
        return {};
      case backend::Reason::IndirectMiss:
        pc = c.exit_pc;
        // With a request pending the generated code sees an all-miss table, so this is also where requests are found.
        if (std::atomic_ref(c.exit_request).load(std::memory_order_relaxed))
          if (auto s = interrupted()) return s;
        n = next_indirect();
        return {};
      case backend::Reason::Hot:
        pc = c.exit_pc;
        n = next_hot();
        return {};
      case backend::Reason::SlowAccess:
        pc = c.exit_pc;
        if (auto s = interpret_one()) return s;
        break;
      case backend::Reason::RegionFault:
        pc = c.exit_pc;
        n = next_plain();
        return {};
      case backend::Reason::RegionMoved:
        pc = c.exit_pc;
        n = next_moved();
        return {};
      case backend::Reason::Interrupt:
        pc = c.exit_pc;
        if (auto s = interrupted()) return s;
        break;
      case backend::Reason::Fault:
        if (p.fault_host_pc != 0 && !p.fault_address_known) {
          if (auto s = retry_with_guest_address()) return s;
          break;
        }
        return fault_stop();
      case backend::Reason::Misaligned:
        return misaligned_stop();
      case backend::Reason::None:  // interpreter: straight on
        pc = c.exit_pc;
        if (std::atomic_ref(c.exit_request).load(std::memory_order_relaxed))
          if (auto s = interrupted()) return s;
        break;
      default:
        pc = c.exit_pc;
        if (auto s = act_on_exit(
                static_cast<ir::ExitKind>(static_cast<u32>(c.reason) - static_cast<u32>(backend::Reason::kExitBase))))
          return s;
        break;
    }
    n = next();
    return {};
  }

  /// Lets the machine act on a stop. Nothing: `n` is where the guest goes on.
  MaybeStop settle(const Stop& s, NextBlock& n) {
    using Kind = Stop::Kind;
    if (!p.handler || s.kind == Kind::Interrupt || s.kind == Kind::DebugBreak || s.kind == Kind::DebugWatch) return s;
    if (!p.handler->handle(s)) return stop(Kind::Interrupt);
    load_mode();
    if (std::atomic_ref(c.exit_request).load(std::memory_order_relaxed))
      if (auto other = interrupted()) return other;
    n = next();
    return {};
  }

  Stop loop() {
    load_mode();
    reconsider_hot_code();
    if (std::atomic_ref(c.exit_request).load(std::memory_order_relaxed))
      if (auto s = interrupted()) return *s;
    NextBlock n = next();
    for (;;) {
      if (n.not_executable) {
        state_pc() = pc;
        if (auto s = settle(Stop{Stop::Kind::Fault, 0, n.fault}, n)) return *s;
        continue;
      }
      if (n.breakpoint) {
        state_pc() = pc;
        return stop(Stop::Kind::DebugBreak);
      }
      if (!enter_code()) {
        const std::lock_guard guard(e.lock);  // waits for the world to go on
        n = next_locked();
        continue;
      }
      execute(n);
      leave_code();
      if (auto s = act(n))
        if ((s = settle(*s, n))) return *s;
    }
  }
};

Stop Vcpu::run() {
  attach();
  return Run(*this).loop();
}

MaybeStop Vcpu::step(std::span<const Watch> watches) {
  attach();
  Run run(*this);
  run.watches = watches;
  return run.step();
}

}  // namespace tiercel::engine
