#include "engine/regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace tiercel::engine {
namespace {

constexpr u32 kForever = 1u << 24;  // not longer: other heads may share the counter
constexpr u32 kMaxAttempts = 4;
constexpr std::size_t kMaxPending = 8;

}  // namespace

Regions::Regions(CodeCache& cache, const Options& options, std::unique_ptr<RegionService> service)
    : cache_(cache), options_(options), service_(std::move(service)) {
  if (service_) targets_ = std::make_unique<TargetProfile>();
}

/// What is around a head may have grown by blocks that ran later, so it is looked at again, each time after sixteen
/// times as long.
u32 Regions::patience(const Head& head) const {
  if (head.pending) return 4 * options_.hot;
  if (head.attempts >= kMaxAttempts) return kForever;
  return static_cast<u32>(std::min(u64{options_.hot_step()} << (4 * head.attempts), u64{kForever}));
}

u32 Regions::heat(const guest::BlockKey& key, std::span<u64> notes, Translator& translator) {
  CachedBlock* block = cache_.find(key);
  if (!block || !service_) return kForever;
  Head& head = work_->heads[key];
  if (head.pending || head.attempts >= kMaxAttempts) return patience(head);
  if (head.steps == 0 && options_.hot >= Options::kHotSteps) {
    head.steps = Options::kHotSteps / 2;
    return patience(head);
  }
  targets_->sample(notes);
  if (++head.steps < std::min(Options::kHotSteps, options_.hot)) return patience(head);
  if (work_->pending.size() >= kMaxPending) return 4 * options_.hot;
  head.steps = 0;
  request(*block, head, translator);
  return patience(head);
}

void Regions::request(CachedBlock& block, Head& head, Translator& translator) {
  ++head.attempts;
  head.refusal = Refusal::None;
  const bool every_block = options_.tier == Tier::Llvm && options_.hot <= 1;
  const RegionLimits limits = every_block ? RegionLimits{4, 100, false} : RegionLimits{};
  CachedBlock& plain = block.plain ? *block.plain : block;
  const bool dump = options_.dump.llvm && translator.wants_dump(plain.key);
  Refusal why = Refusal::None;
  auto formed = form_region(plain, cache_, translator, *targets_, limits, why);
  if (!formed) return refuse(plain.key, why, "", dump);
  if (block.plain && block.members.size() >= formed->members.size()) return;  // it has all there is
  if (!service_->submit(++last_ticket_, formed->region, dump)) return refuse(plain.key, Refusal::ServiceBusy, "", dump);
  head.pending = true;
  work_->pending.push_back({last_ticket_, std::move(formed->members)});
}

void Regions::refuse(const guest::BlockKey& head, Refusal why, const std::string& details, bool dump) {
  ++stats_.refused[static_cast<unsigned>(why)];
  work_->heads[head].refusal = why;
  if (dump) fmt::print(stderr, "== no region at {:#x}: {}\n", head.pc, details.empty() ? describe(why) : details);
}

std::vector<CachedBlock*> Regions::collect(Translator& translator) {
  std::vector<CachedBlock*> installed;
  RegionAnswer answer;
  while (!work_->pending.empty() && service_->collect(answer, options_.tier == Tier::Llvm)) {
    if (CachedBlock* region = install(answer, translator)) installed.push_back(region);
  }
  return installed;
}

CachedBlock* Regions::install(RegionAnswer& answer, Translator& translator) {
  const auto it = std::find_if(work_->pending.begin(), work_->pending.end(),
                               [&](const Pending& p) { return p.ticket == answer.ticket; });
  if (it == work_->pending.end()) return nullptr;
  const Pending pending = std::move(*it);
  work_->pending.erase(it);
  CachedBlock& head = *pending.members.front();
  work_->heads[head.key].pending = false;
  stats_.region_compile_ns += answer.compile_ns;
  const bool dump = options_.dump.llvm && translator.wants_dump(head.key);
  if (!answer.compiled) return refuse(head.key, Refusal::NotCompiled, answer.why, dump), nullptr;
  if (dump)
    fmt::print(stderr, "== region at {:#x}, {} blocks\n{}\n", head.key.pc, pending.members.size(), answer.code.listing);
  const bool stale =
      std::any_of(pending.members.begin(), pending.members.end(), [](const CachedBlock* b) { return b->dead; });
  if (!stale) translator.backend().wrap_region(answer.code, wrapped_);
  if (stale || !cache_.has_room(wrapped_.code.size() + wrapped_.alignment)) {
    ++stats_.regions_dropped;
    return nullptr;
  }
  CachedBlock* region = cache_.add_region(pending.members, wrapped_);
  ++stats_.regions;
  stats_.region_blocks += pending.members.size();
  stats_.region_insns += region->insn_count;
  stats_.region_bytes += region->host_size;
  return region;
}

bool Regions::awaits(const guest::BlockKey& key) const {
  return std::any_of(work_->pending.begin(), work_->pending.end(), [&key](const Pending& p) {
    return std::any_of(p.members.begin(), p.members.end(), [&key](const CachedBlock* b) { return b->key == key; });
  });
}

void Regions::forget() {
  work_->pending.clear();
  work_->heads.clear();
  if (service_) service_->forget();
}

void Regions::abandon() {
  static_cast<void>(work_.release());
  work_ = std::make_unique<Work>();
  static_cast<void>(service_.release());
}

}  // namespace tiercel::engine
