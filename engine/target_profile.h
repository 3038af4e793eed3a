// Where indirect branches were seen to go: samples of the fast tier's notes (backend::kTargetNotes).
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "backend/vm_context.h"

namespace tiercel::engine {

class TargetProfile {
 public:
  struct Seen {
    u64 pc = 0;
    u32 count = 0;
  };

  /// Takes a vCPU's notes, which become empty; once there have been many, an eighth of them each time.
  void sample(std::span<u64> notes) {
    constexpr u32 kShort = 512, kParts = 8;
    u32 begin = 0, end = static_cast<u32>(notes.size());
    if (samples_++ >= kShort) {
      const u32 part = end / kParts;
      begin = samples_ % kParts * part;
      end = begin + part;
    }
    for (u32 i = begin; i < end; ++i)
      if (notes[i] != 0) note(sites_[i], std::exchange(notes[i], 0));
  }

  /// Targets of the branch at the end of the block at `block_pc`, the most frequent first. Blocks may share a place, so
  /// some may be another branch's.
  std::vector<Seen> of(u64 block_pc) const {
    std::vector<Seen> found = sites_[backend::target_note_index(block_pc)];
    std::stable_sort(found.begin(), found.end(), [](const Seen& a, const Seen& b) { return a.count > b.count; });
    return found;
  }

 private:
  static constexpr std::size_t kMaxSeen = 64;

  /// Where all places are taken a new target takes that of the rarest, which has grown older by then.
  static void note(std::vector<Seen>& site, u64 pc) {
    const auto known = std::find_if(site.begin(), site.end(), [pc](const Seen& s) { return s.pc == pc; });
    if (known != site.end()) return static_cast<void>(++known->count);
    if (site.size() < kMaxSeen) return site.push_back({pc, 1});
    Seen& rarest =
        *std::min_element(site.begin(), site.end(), [](const Seen& a, const Seen& b) { return a.count < b.count; });
    if (--rarest.count == 0) rarest = {pc, 1};
  }

  std::array<std::vector<Seen>, backend::kTargetNotes> sites_;  // by target_note_index
  u32 samples_ = 0;
};

}  // namespace tiercel::engine
