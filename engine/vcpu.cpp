// A vCPU: what it owns, and what others may ask of it. What it does when it runs is in vcpu_run.cpp.
#include "engine/vcpu.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/check.h"
#include "engine/engine_private.h"

namespace tiercel::engine {
namespace {

thread_local Vcpu* current_vcpu = nullptr;

/// In front of a VmContext.
constexpr std::size_t kCountersBytes = backend::kHotCounters * sizeof(s32);

[[noreturn]] void report_unexpected_fault(const CachedBlock& block, u64 offset, u64 address) {
  std::fprintf(stderr,
               "tiercel: internal error: host fault at an instruction that accesses no guest memory: block %#llx"
               ", host offset %#llx, address %#llx\n",
               static_cast<unsigned long long>(block.key.pc), static_cast<unsigned long long>(offset),
               static_cast<unsigned long long>(address));
  std::abort();
}

}  // namespace

Vcpu::Vcpu(Engine& engine) : engine_(engine), private_(std::make_unique<Private>()) {
  Engine::Private& e = *engine.private_;
  const std::size_t bytes = kCountersBytes + backend::kStateOffset + e.frontend.layout().state_size;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  CHECK(memory);
  std::memset(memory, 0, bytes);
  context_ = new (memory + kCountersBytes) backend::VmContext;
  Chaos chaos(e.options.chaos_seed, 3);
  for (s32& counter : hot_counters())
    counter = static_cast<s32>(chaos.active() ? 1 + chaos.below(2 * e.options.hot) : e.options.warm());
  private_->guest_env.state = state();
  if (const guest::Mmu* mmu = e.frontend.mmu())
    private_->tlb.emplace(*mmu, *e.memory.physical(), *context_, e.options.tlb_bytes);
  private_->fp_env.extra = &context_->fp_extra;
  context_->jump_cache = private_->jump_cache.data();
  context_->memory_base = e.memory.flat_base();
  if (e.options.stats) context_->counters = private_->counters.emplace().data();
  context_->watches = e.regions.watches();
  context_->eval = ir::eval_out_of_line;
  context_->fp_env = &private_->fp_env;
  context_->helpers = reinterpret_cast<const void* const*>(e.helpers.data());
  context_->guest_env = &private_->guest_env;
  context_->common_exit = e.runtime + e.runtime_stubs.common_exit;
  context_->indirect_miss = e.runtime + e.runtime_stubs.indirect;
  for (u32 i = 0; i < backend::kStubCount; ++i) context_->stubs[i] = e.runtime + e.runtime_stubs.stubs[i];
}

Vcpu::~Vcpu() {
  Engine::Private& e = *engine_.private_;
  {
    const std::lock_guard guard(e.lock);
    add_statistics(e.stats);
    if (private_->counters) e.translator->profile().collect(private_->counters->data());
    std::erase(e.vcpus, this);
  }
  if (current_vcpu == this) current_vcpu = nullptr;
  context_->~VmContext();
  std::free(hot_counters().data());
}

Vcpu* Vcpu::current() {
  return current_vcpu;
}
void Vcpu::attach() {
  current_vcpu = this;
  OwnerLock::set_owner(private_->owner);
}

u32 Vcpu::owner() const {
  return private_->owner;
}

Tlb* Vcpu::tlb() {
  return private_->tlb ? &*private_->tlb : nullptr;
}

void Vcpu::poke() {
  std::atomic_ref(context_->exit_request).store(1, std::memory_order_relaxed);
  std::atomic_ref(context_->jump_cache).store(engine_.private_->miss_table.data(), std::memory_order_relaxed);
}

void Vcpu::request_exit() {
  private_->exit_requested.store(true, std::memory_order_relaxed);
  poke();
}

void Vcpu::clear_exit_request() {
  private_->exit_requested.store(false, std::memory_order_relaxed);
  private_->adopted_jumps = &private_->jumps();
  std::atomic_ref(context_->jump_cache).store(private_->jumps().data(), std::memory_order_relaxed);
  std::atomic_ref(context_->exit_request).store(0, std::memory_order_relaxed);
  // A request that came between the first and the last store must not be lost.
  if (private_->exit_requested.load(std::memory_order_relaxed)) poke();
}

std::span<s32, backend::kHotCounters> Vcpu::hot_counters() {
  return std::span<s32, backend::kHotCounters>(reinterpret_cast<s32*>(context_) - backend::kHotCounters,
                                               backend::kHotCounters);
}

void Vcpu::adopt_jumps() {
  if (private_->adopted_jumps == &private_->jumps()) return;
  private_->adopted_jumps = &private_->jumps();
  // seq_cst, before the test: a request that comes meanwhile must not lose its table.
  std::atomic_ref(context_->jump_cache).store(private_->jumps().data());
  if (std::atomic_ref(context_->exit_request).load()) poke();
}

void Vcpu::forget_predictions() {
  context_->region_faults = nullptr;
  private_->jump_cache.clear();
  if (private_->tlb) private_->tlb->forget_all_jumps();
  for (auto& entry : context_->return_stack) entry = {};
}

void Vcpu::locate_fault() {
  Private& p = *private_;
  if (p.fault_host_pc == 0 || std::exchange(p.fault_located, true)) return;
  const CachedBlock* block = engine_.private_->cache.containing(p.fault_host_pc);
  CHECK_MSG(block, "a fault outside every block");
  const u64 offset = p.fault_host_pc - reinterpret_cast<u64>(block->host);
  const std::span<const CachedFault> faults = block->faults();
  const auto site =
      std::find_if(faults.begin(), faults.end(), [offset](const CachedFault& f) { return f.host_offset == offset; });
  if (site == faults.end()) report_unexpected_fault(*block, offset, p.fault_address);
  p.fault_guest_pc = block->key.pc + site->guest_offset + (block->key.relative() ? context_->code_page : 0);
}

void Vcpu::add_statistics(Statistics& total) const {
  const Statistics& mine = private_->stats;
  total.link_misses += mine.link_misses;
  total.indirect_misses += mine.indirect_misses;
  total.interrupts += mine.interrupts;
  total.faults += mine.faults;
  total.unimplemented += mine.unimplemented;
  total.hot_exits += mine.hot_exits;
  total.region_faults += mine.region_faults;
  total.code_ns += mine.code_ns;
}

u32 Vcpu::fp_status() const {
  const u32 m = context_->mxcsr;
  return (m & 1) | (m >> 1 & 0x1e) | (context_->fp_extra & ir::fpstatus::kInputDenormal);
}

void Vcpu::set_fp_status(u32 bits) {
  context_->mxcsr = (context_->mxcsr & ~0x3fu) | (bits & 1) | (bits & 0x1e) << 1;
  context_->fp_extra = bits & ir::fpstatus::kInputDenormal;
}

void Vcpu::attach_machine(StopHandler& handler, void* platform) {
  private_->handler = &handler;
  private_->guest_env.platform = platform;
}

u64 Vcpu::pc() const {
  return *reinterpret_cast<const u64*>(static_cast<const u8*>(backend::guest_state(context_)) +
                                       engine_.private_->frontend.layout().pc_offset);
}

}  // namespace tiercel::engine
