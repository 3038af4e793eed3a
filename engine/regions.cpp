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
constexpr u64 kCompileShare = 8;       // the n-th part of the process's CPU time, besides Options::compile_credit_ns
constexpr u64 kCompileInsn = 160'000;  // ns that a guest insn takes there, roughly
// Times as long as the last survey took, for code that is watched is slower: after one that led to a region, and after
// one that did not.
constexpr u64 kPause = 24, kLongPause = 96;
constexpr u64 kCostliest = 1'500'000;  // ns; when the head is executed seldom a survey takes longer, but is cheap
constexpr u64 kLongestSurvey = 100'000'000;
constexpr u64 kFirstSurvey = 20'000'000;  // ns: programs that end before gain nothing
constexpr u32 kLater = 4;                 // times Options::hot, until a head that has to wait asks again
constexpr u64 kSettledFor = 3;            // times the engine's age, until what was decided is looked at again
constexpr RegionLimits kEveryBlock{.blocks = 4, .insns = 100, .worthwhile_only = false};
// With chaos, one in so many: blocks that are left to the fast tier although every block is compiled; answers of the
// service that do not come.
constexpr u32 kChaosLeaves = 4, kChaosRefuses = 16;

}  // namespace

Regions::Regions(CodeCache& cache, const Options& options, std::unique_ptr<RegionService> service)
    : cache_(cache),
      options_(options),
      service_(std::move(service)),
      counting_(cache, options.counts_selectively()),
      chaos_(options.chaos_seed, 2) {
  start_clock();
}

void Regions::start_clock() {
  began_ = monotonic_ns();
  compile_ns_ = 0;
  if (options_.tier == Tier::Auto) work_->next_survey = began_ + kFirstSurvey;
}

/// Programs have phases, so what was decided once may be decided again.
void Regions::settle(CachedBlock& plain, const Head& head) {
  const u64 now = monotonic_ns();
  counting_.settle(plain, head.attempts >= kMaxAttempts ? 0 : now + kSettledFor * (now - began_));
}

/// What runs around a head may change, so it is looked at again, each time after 64 times as long.
u32 Regions::patience(const Head& head) {
  if (head.pending) return 4 * options_.hot;
  if (head.attempts >= kMaxAttempts) return kForever;
  if (chaos_.active()) return 1 + chaos_.below(4 * options_.hot);
  return static_cast<u32>(std::min(u64{options_.hot} << (6 * head.attempts), u64{kForever}));
}

u32 Regions::heat(const guest::BlockKey& key, Translator& translator, const CodeView& view) {
  CachedBlock* block = cache_.find(key);
  if (!block || !service_) return kForever;
  if (options_.every_block() && chaos_.one_in(kChaosLeaves)) return kForever;
  Head& head = work_->heads[key];
  if (head.hot_since == 0) head.hot_since = monotonic_ns();
  if (work_->survey && work_->survey->head() == key) return continue_survey(head, translator, view);
  if (options_.counts_selectively() && !std::exchange(head.warm, true)) {
    counting_.wait(plain_of(*block), work_->next_survey);
    return options_.hot;
  }
  if (head.attempts >= kMaxAttempts && !head.pending) settle(plain_of(*block), head);
  if (head.pending || head.attempts >= kMaxAttempts) return patience(head);
  if (may_survey()) return begin_survey(*block, head, translator, view);
  counting_.wait(plain_of(*block), work_->next_survey);
  return kLater * options_.hot;
}

/// Of the next region.
RegionLimits Regions::limits() {
  if (chaos_.active())
    return {
        .blocks = 1 + chaos_.below(16), .insns = 1 + chaos_.below(400), .worthwhile_only = options_.tier == Tier::Auto};
  return options_.every_block() ? kEveryBlock : RegionLimits{};
}

bool Regions::took_long() const {
  return options_.tier == Tier::Auto && monotonic_ns() - work_->survey_began > kLongestSurvey;
}

bool Regions::may_survey() {
  // One at a time; one whose head is not executed any more must not keep the others waiting.
  if (work_->survey && (++work_->waiting > kMaxWaiting || took_long())) end_survey(kPause);
  if (work_->survey || work_->pending.size() >= kMaxPending) return false;
  return options_.tier != Tier::Auto || (monotonic_ns() >= work_->next_survey && may_compile());
}

/// What is hot first is mostly what matters; the service must not work for long on what follows.
bool Regions::may_compile() const {
  u64 spent = compile_ns_;
  for (const Pending& p : work_->pending)
    for (const CachedBlock* b : p.members) spent += b->insn_count * kCompileInsn;
  return spent < options_.compile_credit_ns + process_cpu_ns() / kCompileShare;
}

u32 Regions::begin_survey(CachedBlock& block, Head& head, Translator& translator, const CodeView& view) {
  ++head.attempts;
  head.refusal = Refusal::None;
  CachedBlock& plain = plain_of(block);
  work_->survey_began = monotonic_ns();
  limits_ = limits();
  auto survey = std::make_unique<Survey>(cache_, translator, watches_);
  if (!survey->begin(plain)) {
    refuse(plain.key, Refusal::UnfitHead, "", options_.dump.llvm && translator.wants_dump(plain.key));
    settle(plain, head);
    return patience(head);
  }
  if (options_.every_block()) {
    survey->take_all(limits_.blocks, view);
    request(*survey, survey->blocks().front(), head, translator);
    return patience(head);
  }
  counting_.resume(plain);
  survey->spread(view);
  survey->watch();
  work_->survey = std::move(survey);
  work_->waiting = 0;
  note_stale(*work_->survey);
  return options_.hot_round();
}

u32 Regions::continue_survey(Head& head, Translator& translator, const CodeView& view) {
  Survey& survey = *work_->survey;
  survey.read(view.tlb);
  if (survey.spread(view)) {
    survey.watch();
    note_stale(survey);
    return options_.hot_round();
  }
  end_survey(decide(survey, head, translator) ? kPause : kLongPause);
  return patience(head);
}

/// False: the survey leads to no region. Then neither may its head's surroundings, which were seen as well, and the
/// loops in there need no surveys of their own.
bool Regions::decide(Survey& survey, Head& head, Translator& translator) {
  if (request(survey, survey.blocks().front(), head, translator)) return true;
  settle(*survey.blocks().front().plain, head);
  if (options_.tier != Tier::Auto) return false;
  bool requested = false;
  for (const Survey::Block* at : survey.other_heads()) {
    Head& other = work_->heads[at->plain->key];
    if (other.pending || at->plain->settled || other.attempts >= kMaxAttempts) continue;
    if (work_->pending.size() >= kMaxPending || !may_compile()) break;
    ++other.attempts;
    if (request(survey, *at, other, translator))
      requested = true;
    else
      settle(*at->plain, other);
  }
  return requested;
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
  work_->next_survey = now + pause * std::min(now - work_->survey_began, kCostliest);
}

void Regions::note_stale(Survey& survey) {
  const std::vector<guest::BlockKey> keys = survey.take_stale();
  work_->stale.insert(work_->stale.end(), keys.begin(), keys.end());
}

/// False: there is no region.
bool Regions::request(const Survey& survey, const Survey::Block& at, Head& head, Translator& translator) {
  const guest::BlockKey& key = at.plain->key;
  const bool dump = options_.dump.llvm && translator.wants_dump(key);
  Refusal why = Refusal::None;
  auto formed = form_region(survey, at, limits_, why);
  if (formed && !service_->submit(++last_ticket_, formed->region, dump)) why = Refusal::ServiceBusy;
  if (why != Refusal::None) {
    refuse(key, why, "", dump);
    return false;
  }
  head.pending = true;
  work_->pending.push_back({last_ticket_, monotonic_ns(), std::move(formed->members), std::move(formed->place)});
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

void Regions::count(const CachedBlock& region, const Pending& pending, Head& head) {
  const u64 now = monotonic_ns(), waited = now - pending.since;
  stats_.region_wait_ns += waited;
  stats_.region_longest_wait_ns = std::max(stats_.region_longest_wait_ns, waited);
  if (head.hot_since != 0) {
    const u64 delay = now - std::exchange(head.hot_since, 0);
    if (stats_.hot_to_first_region_ns == 0) stats_.hot_to_first_region_ns = delay;
    stats_.hot_to_region_longest_ns = std::max(stats_.hot_to_region_longest_ns, delay);
  }
  ++stats_.regions;
  stats_.region_blocks += pending.members.size();
  stats_.region_insns += region.insn_count;
  stats_.region_bytes += region.host_size;
}

CachedBlock* Regions::install(RegionAnswer& answer, Translator& translator) {
  const auto it = std::find_if(work_->pending.begin(), work_->pending.end(),
                               [&](const Pending& p) { return p.ticket == answer.ticket; });
  if (it == work_->pending.end()) return nullptr;
  const Pending pending = std::move(*it);
  work_->pending.erase(it);
  CachedBlock& head = *pending.members.front();
  Head& decided = work_->heads[head.key];
  decided.pending = false;
  stats_.region_compile_ns += answer.compile_ns;
  compile_ns_ += answer.compile_ns;
  const bool dump = options_.dump.llvm && translator.wants_dump(head.key);
  const bool lost = chaos_.one_in(kChaosRefuses);
  if (lost || !answer.compiled) {
    refuse(head.key, Refusal::NotCompiled, lost ? "chaos" : answer.why, dump);
    settle(head, decided);
    return nullptr;
  }
  if (dump)
    fmt::print(stderr, "== region at {:#x}, {} blocks\n{}\n", head.key.pc, pending.members.size(), answer.code.listing);
  const bool stale =
      std::any_of(pending.members.begin(), pending.members.end(), [](const CachedBlock* b) { return b->dead; });
  if (!stale) translator.backend().wrap_region(answer.code, pending.place, wrapped_);
  if (stale || !cache_.has_room(wrapped_.code.size() + wrapped_.alignment)) {
    ++stats_.regions_dropped;
    return nullptr;
  }
  CachedBlock* region = cache_.add_region(pending.members, pending.place.others, wrapped_);
  settle(head, decided);
  count(*region, pending, decided);
  return region;
}

bool Regions::awaits(const guest::BlockKey& key) const {
  return std::any_of(work_->pending.begin(), work_->pending.end(), [&key](const Pending& p) {
    return std::any_of(p.members.begin(), p.members.end(), [&key](const CachedBlock* b) { return b->key == key; });
  });
}

void Regions::forget_oldest() {
  if (work_->survey) {
    --work_->heads[work_->survey->head()].attempts;  // it did not see enough
    end_survey(kPause);
  }
  const auto gone = [this](const guest::BlockKey& key) {
    CachedBlock* block = cache_.find(key);
    return !block || cache_.is_oldest(plain_of(*block));
  };
  std::erase_if(work_->pending, [&](const Pending& p) {
    const bool lost = std::any_of(p.members.begin(), p.members.end(), [this](auto* b) { return cache_.is_oldest(*b); });
    if (lost) work_->heads[p.members.front()->key].pending = false;
    return lost;
  });
  std::erase_if(work_->heads, [&](const auto& head) { return gone(head.first); });
  counting_.forget(gone);
}

void Regions::forget() {
  work_->pending.clear();
  work_->heads.clear();
  work_->survey.reset();
  work_->stale.clear();
  counting_.forget();
  if (service_) service_->forget();
}

void Regions::begin_again() {
  start_clock();
  work_->pending.clear();
  for (auto& entry : work_->heads) entry.second.pending = false;
  if (service_) service_->forget();
}

void Regions::abandon() {
  static_cast<void>(work_.release());
  work_ = std::make_unique<Work>();
  counting_.abandon();
  static_cast<void>(service_.release());
}

}  // namespace tiercel::engine
