// Random instruction sequences and states, made from the rows of the A64 table.
#pragma once

#include <random>
#include <regex>
#include <utility>
#include <vector>

#include "frontend-arm/a64/isa_table.h"
#include "tests/diff/state.h"

namespace tiercel::test {

/// A sequence of instructions for one place in memory, ended by a BRK.
struct Sequence {
  u64 pc = 0;
  std::vector<u32> words;
  std::vector<std::pair<unsigned, u64>> pinned;  // register number (31: SP) -> initial value
  u32 fpcr = 0;
  bool reference_is_wrong = false;  // holds a row of known_issues.h
  bool goes_on = false;             // behind an access that faults
  std::vector<std::size_t> kept;    // words without which it might not end
  u64 end() const { return pc + 4 * words.size(); }
};

class Generator {
 public:
  /// `only`: rows whose text or heading matches; empty for all.
  Generator(u64 seed, const std::string& only);
  virtual ~Generator() = default;

  /// Up to `max_insns` instructions for address `pc`.
  virtual Sequence sequence(u64 pc, unsigned max_insns);
  CpuState state(const Sequence& s);
  /// Random data: everywhere, or in a few places.
  void fill(Data& data, bool all);

  std::size_t row_count() const { return rows_.size(); }

 protected:
  struct Candidate {
    const arm::Row* row;
    bool reference_is_wrong;
  };

  u64 random() { return engine_(); }
  u64 below(u64 n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  const std::vector<Candidate>& rows() const { return rows_; }
  u32 encoding(const arm::Row& row);
  void keep_predictable(u32& word);
  u32 interesting_fpcr();

 private:
  void append(Sequence& s, const arm::Row& row, unsigned position, unsigned count);
  void place_memory(Sequence& s, u32& word);
  void place_branch(Sequence& s, const arm::Row& row, u32& word, unsigned position, unsigned count);
  void place_system(Sequence& s, const arm::Row& row, u32& word);
  unsigned fresh_register(Sequence& s);
  u64 interesting_integer();
  U128 interesting_vector();

  std::mt19937_64 engine_;
  std::vector<Candidate> rows_;
  unsigned next_pool_ = 0;
};

}  // namespace tiercel::test
