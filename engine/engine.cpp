#include "engine/engine.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/time.h"
#include "engine/engine_private.h"

namespace tiercel::engine {
namespace {

// With chaos one look for a block in so many loses the code of a page first. Each loss leads to as many looks as the
// page has blocks: a few dozen.
constexpr u32 kChaosInvalidates = 512;
// What is left of a segment of the code cache is given up for a region that may need as much.
constexpr u64 kRegionRoom = 64 << 10;

}  // namespace

Engine::Private::Private(guest::Frontend& fe, AddressSpace& mem, const Options& opt, CodeMemory code_memory,
                         std::unique_ptr<RegionService> service)
    : frontend(fe),
      memory(mem),
      options(opt),
      translator(std::make_unique<Translator>(fe, mem, options)),
      cache(std::move(code_memory)),
      regions(cache, options, opt.wants_regions() ? std::move(service) : nullptr) {
  for (const guest::HelperDecl& helper : frontend.helpers()) helpers.push_back(helper.function);
  const backend::Runtime stubs = translator->backend().make_runtime();
  runtime = cache.install_runtime(stubs.code);
  runtime_stubs = stubs;
  enter = reinterpret_cast<EnterFn>(reinterpret_cast<u64>(runtime + stubs.enter));
  fault_exit = reinterpret_cast<u64>(runtime + stubs.fault_exit);
  if (options.perf_map) {
    perf_map = std::fopen(fmt::format("/tmp/perf-{}.map", getpid()).c_str(), "we");
    if (perf_map) fmt::print(perf_map, "{:x} {:x} tiercel-stubs\n", reinterpret_cast<u64>(runtime), stubs.code.size());
  }
}

Engine::Private::~Private() {
  if (perf_map) std::fclose(perf_map);
}

CachedBlock* Engine::Private::find_or_translate(const guest::BlockKey& key, const CodeView& view) {
  // As if it had changed.
  if (chaos.one_in(kChaosInvalidates)) invalidate(key.location() / kPageSize * kPageSize, kPageSize);
  if (CachedBlock* known = cache.find(key)) return known;
  CachedBlock* block = translate_new(key);
  if (!block || !regions.active() || !options.every_block()) return block;
  regions.heat(key, *translator, view);
  install_regions();
  return cache.find(key);
}

CachedBlock* Engine::Private::find_plain(const guest::BlockKey& key) {
  CachedBlock* block = cache.find(key);
  if (!block) return translate_new(key);
  return &plain_of(*block);
}

void Engine::Private::drop_region(CachedBlock& region) {
  cache.drop_region(region);
  forget_everywhere({&region.key, 1}, Which::Latest);
}

void Engine::Private::link(CachedExit& exit, CachedBlock& target) {
  if (regions.active()) regions.counting().prepare_link(exit, target, translator->backend());
  cache.link(exit, target);
}

void Engine::Private::install_regions() {
  if (regions.awaits_any() && cache.has_segments()) make_room(kRegionRoom);
  for (const CachedBlock* region : regions.collect(*translator)) {
    forget_everywhere({&region->key, 1}, Which::Latest);
    if (perf_map) note_perf(*region);
  }
  forget_everywhere(regions.take_stale(), Which::Latest);
}

CachedBlock* Engine::Private::translate_new(const guest::BlockKey& key) {
  const u64 begin = options.stats ? thread_cpu_ns() : 0;
  const Translator::Outcome outcome = translator->translate(key);
  if (outcome == Translator::Outcome::NotExecutable) return nullptr;
  const bool compiled = outcome == Translator::Outcome::Compiled;
  make_room(compiled ? translator->code().code.size() : 0);
  CachedBlock* block = cache.add(key, translator->function(), compiled ? &translator->code() : nullptr);
  if (!compiled || options.lockstep) {
    // The interpreter takes the IR as the frontend made it: the passes are part of what lockstep checks.
    if (compiled && !translator->translate_raw(key, block->insn_count)) {
      invalidate(key.location(), 1);  // the code went away meanwhile: nobody must find a block without function
      return nullptr;
    }
    cache.keep_function(*block, translator->function(), static_cast<u32>(translator->translations()));
  }
  if (options.stats) stats.translate_ns += thread_cpu_ns() - begin;
  ++stats.blocks_translated;
  stats.insns_translated += block->insn_count;
  stats.host_bytes += block->host_size;
  if (perf_map && compiled) note_perf(*block);
  return block;
}

void Engine::Private::note_perf(const CachedBlock& block) {
  fmt::print(perf_map, "{:x} {:x} {}:{:#x}\n", reinterpret_cast<u64>(block.host), block.host_size,
             block.plain() ? "region" : "fast", block.key.origin() + block.key.pc);
  std::fflush(perf_map);
}

std::vector<ExecutedBlock> Engine::Private::executed_blocks() const {
  Profile profile = translator->profile();
  for (Vcpu* vcpu : vcpus)
    if (vcpu->private_->counters) profile.collect(vcpu->private_->counters->data());
  std::vector<ExecutedBlock> out;
  for (const Profile::Block& b : profile.blocks()) out.push_back({b, regions.refusal(b.key), regions.awaits(b.key)});
  return out;
}

void Engine::Private::forget_executions() {
  stats = {};
  translator->profile().forget_executions();
  for (Vcpu* vcpu : vcpus) {
    vcpu->private_->stats = {};
    if (vcpu->private_->counters) vcpu->private_->counters->clear();
  }
}

void Engine::Private::forget_everywhere(std::span<const guest::BlockKey> keys, Which which) {
  std::bitset<kPageSize> anywhere;  // places in pages that are mapped at more addresses than are known
  const auto forget = [this](u64 pc) {
    for (Vcpu* vcpu : vcpus) vcpu->private_->forget_jumps(pc);
  };
  for (const guest::BlockKey& key : keys) {
    if (!key.relative()) {
      forget(key.pc);
      continue;
    }
    const CodeMappings::Addresses addresses = mappings.addresses(key.space);
    if (which == Which::All && !addresses.all)
      anywhere.set(key.pc);
    else
      for (const u64 page : addresses.last) forget(page + key.pc);
  }
  if (anywhere.none()) return;
  for (Vcpu* vcpu : vcpus) vcpu->private_->forget_jumps_at(anywhere);
}

template <typename Clear>
void Engine::Private::with_world_stopped(Clear&& clear) {
  world_stopped.store(1);
  for (Vcpu* vcpu : vcpus) vcpu->poke();
  for (Vcpu* vcpu : vcpus)
    while (vcpu->private_->in_code.load() != 0) sched_yield();
  clear();
  for (Vcpu* vcpu : vcpus) vcpu->forget_predictions();
  mappings.clear();
  epoch.fetch_add(1);
  changes.fetch_add(1);
  world_stopped.store(0);
}

void Engine::Private::invalidate(u64 location, u64 size) {
  const CodeCache::Dropped dropped = cache.invalidate(location, location + size);
  forget_everywhere(dropped.keys, Which::All);
  for (const guest::BlockKey& key : dropped.keys)
    if (key.relative() && !cache.has_page(key.location() / kPageSize)) mappings.forget(key.space);
  stats.invalidations += dropped.blocks;
  changes.fetch_add(1);
  // A vCPU may be in a loop inside a region, which no link leads out of.
  if (dropped.regions != 0)
    for (Vcpu* vcpu : vcpus) vcpu->poke();
}

/// With the world stopped, and before code goes away: some may have faulted in it and not yet asked where.
void Engine::Private::locate_faults() {
  for (Vcpu* vcpu : vcpus) vcpu->locate_fault();
}

void Engine::Private::make_room(u64 bytes) {
  if (cache.has_room(bytes)) return;
  if (!cache.has_segments()) return flush();
  if (cache.open_next() && cache.has_room(bytes)) return;
  with_world_stopped([this] {
    locate_faults();
    regions.forget_oldest();
    cache.evict();
    ++stats.cache_evictions;
  });
  forget_everywhere(regions.take_stale(), Which::Latest);
}

void Engine::Private::flush() {
  with_world_stopped([this] {
    locate_faults();
    cache.clear();
    regions.forget();
    ++stats.cache_flushes;
  });
}

void Engine::Private::start_afresh() {
  with_world_stopped([this] {
    // The old ones are not destroyed: their containers may be half changed.
    translator = std::make_unique<Translator>(*translator.release());
    cache.abandon();
    regions.abandon();
    ++stats.cache_flushes;
  });
}

Engine::Engine(guest::Frontend& frontend, AddressSpace& memory, const Options& options,
               std::unique_ptr<RegionService> service) {
  auto code_memory = CodeMemory::create(options.code_cache_bytes);
  CHECK_MSG(code_memory.has_value(), code_memory.error().message.c_str());
  private_ = std::make_unique<Private>(frontend, memory, options, std::move(*code_memory), std::move(service));
}

Engine::~Engine() = default;

std::unique_ptr<Vcpu> Engine::make_vcpu() {
  std::unique_ptr<Vcpu> vcpu(new Vcpu(*this));
  private_->frontend.reset(vcpu->state());
  const std::lock_guard guard(private_->lock);
  private_->vcpus.push_back(vcpu.get());
  vcpu->private_->owner = ++private_->vcpus_made % OwnerLock::kSomebody;
  return vcpu;
}

std::unique_ptr<Vcpu> Engine::copy_vcpu(Vcpu& from) {
  auto vcpu = make_vcpu();
  std::memcpy(vcpu->state(), from.state(), private_->frontend.layout().state_size);
  vcpu->set_fp_status(from.fp_status());
  return vcpu;
}

void Engine::abandon(Vcpu& vcpu) {
  vcpu.private_->in_code.store(0);
  if (!private_->lock.take_over(vcpu.private_->owner)) return;
  private_->start_afresh();
  private_->lock.unlock();
}

void Engine::invalidate(VAddr start, u64 size) {
  if (size == 0) return;
  const std::lock_guard guard(private_->lock);
  private_->invalidate(start.value, size);
}

void Engine::invalidate_physical(PAddr start, u64 size) {
  const std::lock_guard guard(private_->lock);
  if (size == 0)
    private_->flush();
  else
    private_->invalidate(start.value, size);
}

void Engine::set_breakpoints(const std::vector<u64>& pcs) {
  const std::lock_guard guard(private_->lock);
  Breakpoints wanted(pcs);
  const std::vector<u64> changed = wanted.difference(private_->translator->breakpoints);
  if (changed.empty()) return;
  if (private_->frontend.mmu() && private_->may_be_relative.exchange(false)) private_->flush();
  // The world stops because a vCPU's predictions of returns may lead into dropped blocks, which is wrong here.
  private_->with_world_stopped([&] {
    private_->translator->breakpoints = std::move(wanted);
    private_->cache.invalidate_pcs(changed);
  });
}

bool Engine::has_breakpoint(u64 pc) const {
  const std::lock_guard guard(private_->lock);
  return private_->translator->breakpoints.contains(pc);
}

void Engine::fork_prepare() {
  private_->lock.lock();
  private_->regions.before_fork();
  private_->forget_everywhere(private_->regions.take_stale(), Private::Which::Latest);
  if (private_->perf_map) std::fflush(private_->perf_map);
}

void Engine::fork_parent() {
  private_->cache.memory().freeze_after_fork(false);
  private_->lock.unlock();
}

void Engine::fork_child() {
  private_->cache.memory().freeze_after_fork(true);
  std::erase_if(private_->vcpus, [](const Vcpu* vcpu) { return vcpu != Vcpu::current(); });
  if (private_->perf_map) {
    std::fclose(private_->perf_map);
    private_->perf_map = nullptr;  // the map names the parent's pid
  }
  private_->regions.begin_again();
  private_->forget_executions();
  private_->lock.unlock();
}

Statistics Engine::statistics() const {
  const std::lock_guard guard(private_->lock);
  Statistics total = private_->stats;
  total.regions = private_->regions.statistics();
  for (const Vcpu* vcpu : private_->vcpus) vcpu->add_statistics(total);
  for (const ExecutedBlock& block : private_->executed_blocks()) {
    const Profile::Block& b = block.counts;
    (b.interpreted ? total.insns_interpreted : total.insns_fast) += b.plain * b.insns;
    total.insns_in_regions += b.in_regions * b.insns;
    total.region_exits += b.left;
  }
  return total;
}

std::vector<ExecutedBlock> Engine::executed_blocks() const {
  const std::lock_guard guard(private_->lock);
  return private_->executed_blocks();
}

guest::Frontend& Engine::frontend() {
  return private_->frontend;
}
const Options& Engine::options() const {
  return private_->options;
}

}  // namespace tiercel::engine
