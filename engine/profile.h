// What was executed how often, in which tier: for --stats and tiercel explain, and only then.
#pragma once

#include <span>
#include <vector>

#include "backend/profile_tables.h"
#include "guest/frontend.h"

namespace tiercel::engine {

/// The blocks that count their executions. Needs the engine's lock.
class Profile {
 public:
  struct Block {
    guest::BlockKey key;
    u32 insns = 0;
    bool interpreted = false;
    ir::Opcode end = ir::Opcode::Nop;  // its terminal
    u64 plain = 0, in_regions = 0;     // executions
    u64 left = 0;                      // how often a region was left at its end
  };

  Profile() = default;
  /// Numbers its counters from `first` on.
  explicit Profile(u32 first) : first_(first) {}
  u32 next() const { return first_ + static_cast<u32>(blocks_.size()); }

  /// The counter of a new block; 0 when there are no more: its executions are not counted.
  u32 add(const guest::BlockKey& key, const ir::Function& f, bool interpreted);
  /// Everything back to zero.
  void forget_executions();
  /// Adds a vCPU's counters, as VmContext::counters.
  void collect(const u64* counters);
  /// What collect() brought together, without what was never executed; translations of the same block are one.
  std::vector<Block> blocks() const;

 private:
  u32 first_ = 1;
  std::vector<Block> blocks_;  // counter n is blocks_[n - first_]
};

/// A vCPU's counters, zero at first; pages that nothing counts in cost nothing.
class Counters {
 public:
  Counters();
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;
  u64* data() { return data_; }
  void clear();

 private:
  static constexpr std::size_t kBytes = 3 * sizeof(u64) * backend::kCounters;
  u64* data_;
};

}  // namespace tiercel::engine
