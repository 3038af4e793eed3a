// Hot blocks become regions: who is asked to compile what, and what comes of it. Everything here needs the engine's
// lock.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/chaos.h"
#include "engine/code_cache.h"
#include "engine/counting.h"
#include "engine/region_former.h"
#include "engine/region_service.h"
#include "engine/survey.h"
#include "engine/translator.h"

namespace tiercel::engine {

/// Counters for --stats.
struct RegionStatistics {
  u64 regions = 0, region_blocks = 0, region_insns = 0, region_bytes = 0, regions_dropped = 0;
  std::array<u64, static_cast<unsigned>(Refusal::kCount)> refused{};
  u64 region_compile_ns = 0;                                     // in the service
  u64 region_wait_ns = 0, region_longest_wait_ns = 0;            // from the request to the installation
  u64 hot_to_first_region_ns = 0, hot_to_region_longest_ns = 0;  // from when a head was first hot to the installation
};

class Regions {
 public:
  /// `service` may be null: then nothing ever becomes a region.
  Regions(CodeCache& cache, const Options& options, std::unique_ptr<RegionService> service);

  bool active() const { return service_ != nullptr; }

  /// Where watched blocks write to.
  backend::WatchNotes* watches() { return watches_.data(); }

  /// The counter of a back edge or call to `key` ran out. Returns how often it may be taken before it asks again.
  /// `view`: the vCPU's.
  u32 heat(const guest::BlockKey& key, Translator& translator, const CodeView& view);

  /// Which heads ask.
  Counting& counting() { return counting_; }

  /// Installs what the service has answered. Returns the heads of new regions.
  std::vector<CachedBlock*> collect(Translator& translator);

  /// Ends what would take notes in a forked child for ever.
  void before_fork();
  /// Blocks that now run other code: predictions of their pcs are stale. They are told once.
  std::vector<guest::BlockKey> take_stale() { return std::exchange(work_->stale, {}); }

  /// The oldest segment of the code cache is about to be emptied.
  void forget_oldest();
  /// All code is gone.
  void forget();
  /// In a forked child: what was asked for will not come, and what the parent has spent is its own.
  void begin_again();
  /// The same when what is here may be half changed: nothing is destroyed, and there will be no more regions.
  void abandon();

  const RegionStatistics& statistics() const { return stats_; }
  bool awaits_any() const { return !work_->pending.empty(); }
  /// True while a region with a block of this key is being compiled.
  bool awaits(const guest::BlockKey& key) const;
  /// Why the last attempt to make a region that begins at `key` failed; None: it did not, or there was none.
  Refusal refusal(const guest::BlockKey& key) const {
    const auto it = work_->heads.find(key);
    return it == work_->heads.end() ? Refusal::None : it->second.refusal;
  }

 private:
  struct Pending {
    u64 ticket;
    u64 since;  // monotonic_ns
    std::vector<CachedBlock*> members;
    backend::RegionPlace place;
  };
  struct Head {
    u32 attempts = 0;
    u64 hot_since = 0;  // monotonic_ns of when it asked first, after its last region; 0: it did not
    bool warm = false;  // has asked
    bool pending = false;
    Refusal refusal = Refusal::None;
  };

  struct Work {
    std::unordered_map<guest::BlockKey, Head, guest::BlockKeyHash> heads;
    std::vector<Pending> pending;
    std::unique_ptr<Survey> survey;
    u32 waiting = 0;                        // how often another head has asked during the survey
    u64 survey_began = 0, next_survey = 0;  // monotonic_ns
    std::vector<guest::BlockKey> stale;
  };

  u32 begin_survey(CachedBlock& block, Head& head, Translator& translator, const CodeView& view);
  u32 continue_survey(Head& head, Translator& translator, const CodeView& view);
  void end_survey(u64 pause);
  void note_stale(Survey& survey);
  bool request(const Survey& survey, const Survey::Block& at, Head& head, Translator& translator);
  bool decide(Survey& survey, Head& head, Translator& translator);
  void refuse(const guest::BlockKey& head, Refusal why, const std::string& details, bool dump);
  CachedBlock* install(RegionAnswer& answer, Translator& translator);
  u32 patience(const Head& head);
  RegionLimits limits();
  bool may_survey();
  bool took_long() const;
  bool may_compile() const;
  void settle(CachedBlock& plain, const Head& head);
  void count(const CachedBlock& region, const Pending& pending, Head& head);
  void start_clock();

  CodeCache& cache_;
  const Options& options_;
  std::unique_ptr<RegionService> service_;
  Counting counting_;
  std::unique_ptr<Work> work_ = std::make_unique<Work>();
  Watches watches_;
  backend::CompiledCode wrapped_;
  u64 began_ = 0;       // monotonic_ns
  u64 compile_ns_ = 0;  // in the service, for this process
  u64 last_ticket_ = 0;
  RegionLimits limits_;  // of the region that the present survey is for
  Chaos chaos_;
  RegionStatistics stats_;
};

}  // namespace tiercel::engine
