#include "engine/regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/bits.h"
#include "base/time.h"

namespace tiercel::engine {
namespace {

constexpr u32 kForever = 1u << 24;  // not longer: other heads may share the counter
constexpr u32 kMaxAttempts = 3;
constexpr std::size_t kMaxPending = 8;
constexpr u32 kMaxWaiting = 64;
constexpr u64 kCompileCredit = 300'000'000, kCompileShare = 8;  // ns; of the process's CPU time
constexpr u64 kCompileInsn = 160'000;                           // ns that a guest insn takes there, roughly
// Times as long as the last survey took, for code that is watched is slower: after one that led to a region, and after
// one that did not.
constexpr u64 kPause = 16, kLongPause = 64;
constexpr u32 kLater = 16;  // times Options::hot, until a head that has to wait asks again
constexpr RegionLimits kEveryBlock{.blocks = 4, .insns = 100, .worthwhile_only = false};
// With chaos, one in so many: blocks that are left to the fast tier although every block is compiled; answers of the
// service that do not come.
constexpr u32 kChaosLeaves = 4, kChaosRefuses = 16;

backend::RegionPlace place_of(const std::vector<CachedBlock*>& members) {
  const guest::BlockKey& head = members.front()->key;
  backend::RegionPlace place{head.pc};
  if (head.space == 0) return place;
  for (const CachedBlock* b : members) {
    const u64 page = align_down(b->key.pc, kPageSize);
    const auto same = [page](const backend::TlbCodePage& p) { return p.page == page; };
    if (page != align_down(head.pc, kPageSize) && std::none_of(place.others.begin(), place.others.end(), same))
      place.others.push_back({page, b->key.space});
  }
  return place;
}

}  // namespace

Regions::Regions(CodeCache& cache, const Options& options, std::unique_ptr<RegionService> service)
    : cache_(cache), options_(options), service_(std::move(service)), chaos_(options.chaos_seed, 2) {}

/// What runs around a head may change, so it is looked at again, each time after 64 times as long.
u32 Regions::patience(const Head& head) {
  if (head.pending) return 4 * options_.hot;
  if (head.attempts >= kMaxAttempts) return kForever;
  if (chaos_.active()) return 1 + chaos_.below(4 * options_.hot);
  return static_cast<u32>(std::min(u64{options_.hot} << (6 * head.attempts), u64{kForever}));
}

u32 Regions::heat(const guest::BlockKey& key, Translator& translator, const Tlb* tlb) {
  CachedBlock* block = cache_.find(key);
  if (!block || !service_) return kForever;
  if (options_.every_block() && chaos_.one_in(kChaosLeaves)) return kForever;
  Head& head = work_->heads[key];
  if (work_->survey && work_->survey->head() == key) return continue_survey(head, translator, tlb);
  if (head.pending || head.attempts >= kMaxAttempts) return patience(head);
  return may_survey() ? begin_survey(*block, head, translator, tlb) : kLater * options_.hot;
}

/// Of the next region.
RegionLimits Regions::limits() {
  if (chaos_.active())
    return {
        .blocks = 1 + chaos_.below(16), .insns = 1 + chaos_.below(400), .worthwhile_only = options_.tier == Tier::Auto};
  return options_.every_block() ? kEveryBlock : RegionLimits{};
}

bool Regions::may_survey() {
  // One at a time; one whose head is not executed any more must not keep the others waiting.
  if (work_->survey && ++work_->waiting > kMaxWaiting) end_survey(kPause);
  if (work_->survey || work_->pending.size() >= kMaxPending) return false;
  if (options_.tier != Tier::Auto) return true;
  if (monotonic_ns() < work_->next_survey) return false;
  // What is hot first is mostly what matters; the service must not work for long on what follows.
  u64 spent = stats_.region_compile_ns;
  for (const Pending& p : work_->pending)
    for (const CachedBlock* b : p.members) spent += b->insn_count * kCompileInsn;
  return spent < kCompileCredit || spent < process_cpu_ns() / kCompileShare;
}

u32 Regions::begin_survey(CachedBlock& block, Head& head, Translator& translator, const Tlb* tlb) {
  ++head.attempts;
  head.refusal = Refusal::None;
  CachedBlock& plain = block.plain ? *block.plain : block;
  work_->survey_began = monotonic_ns();
  limits_ = limits();
  auto survey = std::make_unique<Survey>(cache_, translator, watches_);
  if (!survey->begin(plain)) {
    refuse(plain.key, Refusal::UnfitHead, "", options_.dump.llvm && translator.wants_dump(plain.key));
    return patience(head);
  }
  if (options_.every_block()) {
    survey->take_all(limits_.blocks, tlb);
    request(*survey, head, translator);
    return patience(head);
  }
  survey->spread(tlb);
  survey->watch();
  work_->survey = std::move(survey);
  work_->waiting = 0;
  note_stale(*work_->survey);
  return options_.hot_round();
}

u32 Regions::continue_survey(Head& head, Translator& translator, const Tlb* tlb) {
  Survey& survey = *work_->survey;
  survey.read();
  if (survey.spread(tlb)) {
    survey.watch();
    note_stale(survey);
    return options_.hot_round();
  }
  end_survey(request(survey, head, translator) ? kPause : kLongPause);
  return patience(head);
}

void Regions::before_fork() {
  end_survey(kPause);
}

/// `pause`: until the next one, as a multiple of what this one took.
void Regions::end_survey(u64 pause) {
  if (!work_->survey) return;
  work_->survey->end();
  note_stale(*work_->survey);
  work_->survey.reset();
  const u64 now = monotonic_ns();
  work_->next_survey = now + pause * (now - work_->survey_began);
}

void Regions::note_stale(Survey& survey) {
  const std::vector<u64> pcs = survey.take_stale();
  work_->stale.insert(work_->stale.end(), pcs.begin(), pcs.end());
}

/// False: there is no region.
bool Regions::request(const Survey& survey, Head& head, Translator& translator) {
  const bool dump = options_.dump.llvm && translator.wants_dump(survey.head());
  Refusal why = Refusal::None;
  auto formed = form_region(survey, limits_, why);
  if (formed && !service_->submit(++last_ticket_, formed->region, dump)) why = Refusal::ServiceBusy;
  if (why != Refusal::None) {
    refuse(survey.head(), why, "", dump);
    return false;
  }
  head.pending = true;
  work_->pending.push_back({last_ticket_, monotonic_ns(), std::move(formed->members)});
  return true;
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
  if (chaos_.one_in(kChaosRefuses)) return refuse(head.key, Refusal::NotCompiled, "chaos", dump), nullptr;
  if (!answer.compiled) return refuse(head.key, Refusal::NotCompiled, answer.why, dump), nullptr;
  if (dump)
    fmt::print(stderr, "== region at {:#x}, {} blocks\n{}\n", head.key.pc, pending.members.size(), answer.code.listing);
  const bool stale =
      std::any_of(pending.members.begin(), pending.members.end(), [](const CachedBlock* b) { return b->dead; });
  if (!stale) translator.backend().wrap_region(answer.code, place_of(pending.members), wrapped_);
  if (stale || !cache_.has_room(wrapped_.code.size() + wrapped_.alignment)) {
    ++stats_.regions_dropped;
    return nullptr;
  }
  CachedBlock* region = cache_.add_region(pending.members, wrapped_);
  const u64 waited = monotonic_ns() - pending.since;
  stats_.region_wait_ns += waited;
  stats_.region_longest_wait_ns = std::max(stats_.region_longest_wait_ns, waited);
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
  work_->survey.reset();
  work_->stale.clear();
  if (service_) service_->forget();
}

void Regions::abandon() {
  static_cast<void>(work_.release());
  work_ = std::make_unique<Work>();
  static_cast<void>(service_.release());
}

}  // namespace tiercel::engine
