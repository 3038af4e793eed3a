#include "engine/tlb_context.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include "base/bits.h"

namespace tiercel::engine {
namespace {

using backend::tlb_code_index;
using backend::tlb_index;

constexpr u64 page_of(u64 address) {
  return align_down(address, kPageSize);
}
/// Tags in the top byte do not tell addresses apart here: invalidation may hit too much, never too little.
constexpr u64 kUntagged = low_mask(56);

}  // namespace

void TlbContext::clear_data() {
  read.clear();
  write.clear();
  large_.fill(0);
  has_huge_ = has_globals = false;
  tagged_.clear();
  spaces_.clear();
  confirmed_ = 0;
  compacted_ = 0;
}

void TlbContext::clear(const backend::JumpCache* active) {
  clear_data();
  for_each_code([this](u32 i) {
    code[i] = {};
    return true;
  });
  code_used_.fill(0);
  clear_jumps(active);
  doubted = code_evicted = false;
}

void TlbContext::release() {
  clear(nullptr);
  read.release();
  write.release();
  for (Jumps& j : jumps_)
    if (j.cache) j.cache->release();
  tagged_.shrink_to_fit();
}

u64 TlbContext::memory() const {
  u64 bytes = read.memory() + write.memory() + tagged_.capacity() * sizeof(Tagged);
  for (const Jumps& j : jumps_)
    if (j.cache) bytes += j.cache->memory();
  return bytes;
}

void TlbContext::doubt() {
  clear_data();
  doubted = true;
}

// -- Entries ---------------------------------------------------------------------------------------------------------

void TlbContext::note_size(u64 address, const guest::Mapping& m) {
  if (m.size_log2 <= 12) return;
  if (m.size_log2 > 21) {
    has_huge_ = true;
    return;
  }
  const u32 bit = large_bit(address & kUntagged);
  large_[bit / 64] |= u64{1} << bit % 64;
}

bool TlbContext::may_be_large(u64 address) const {
  const u32 bit = large_bit(address & kUntagged);
  return large_[bit / 64] >> bit % 64 & 1;
}

void TlbContext::note_entry(u64 page, const guest::Mapping& m, const void* entry) {
  if (m.global) {
    has_globals = true;
    return;
  }
  if (!shared) return;
  constexpr std::size_t kMany = 8192;
  if (tagged_.size() >= 2 * compacted_ + kMany) compact();
  if (confirmed_ == tagged_.size()) ++confirmed_;
  tagged_.push_back({page, m.origin.path, m.origin.path ? static_cast<const u64*>(entry) : nullptr, m.origin.value});
}

void TlbContext::set_code(u64 pc, u32 space) {
  const u32 i = tlb_code_index(pc);
  CodeEntry& e = code[i];
  if (e.page != CodeEntry{}.page) {
    const u32 bit = code_bit(e.page);
    evicted_pages_[bit / 64] |= u64{1} << bit % 64;
    code_evicted = true;
  }
  e = {page_of(pc), space};
  code_used_[i / 64] |= u64{1} << i % 64;
}

bool TlbContext::may_lead_to(u64 address) const {
  const u32 bit = code_bit(address);
  return code_evicted && (evicted_pages_[bit / 64] >> bit % 64 & 1) &&
         code[tlb_code_index(address)].page != page_of(address);
}

void TlbContext::drop_pages(u64 first, u64 bytes) {
  const auto inside = [&](u64 page) { return ((page - first) & kUntagged) < bytes; };
  constexpr u64 kFew = 16 * kPageSize;
  if (bytes <= kFew) {
    for (u64 page = first; page - first < bytes; page += kPageSize) {
      const u32 i = tlb_index(page);
      if (inside(read[i].page)) read.drop(i);
      if (inside(write[i].page)) write.drop(i);
      doubted |= inside(code[i % kCodeEntries].page) || may_lead_to(page);
    }
  } else {
    read.drop_if(inside);
    write.drop_if(inside);
    doubted |= code_evicted || std::any_of(code.begin(), code.end(), [&](auto& e) { return inside(e.page); });
  }
}

// -- Address spaces --------------------------------------------------------------------------------------------------

void TlbContext::enter_space(u16 wanted) {
  const auto position = [this](u16 s) {
    return std::find_if(spaces_.begin(), spaces_.end(), [s](const Space& x) { return x.space == s; });
  };
  if (spaces_.size() == kMostSpaces) spaces_.erase(spaces_.begin());
  spaces_.push_back({space(), confirmed_});
  name = kind() << 16 | wanted;
  confirmed_ = 0;
  if (const auto it = position(wanted); it != spaces_.end()) {
    confirmed_ = it->confirmed;
    spaces_.erase(it);
  }
}

void TlbContext::doubt_space(u16 which) {
  std::erase_if(spaces_, [which](const Space& s) { return s.space == which; });
  if (which == space()) confirmed_ = 0;
}

/// Lists pages once, those of which something is still known.
void TlbContext::compact() {
  std::bitset<backend::kTlbSize> data;
  std::bitset<kCodeEntries> codes, lost;
  std::vector<u32> kept_before(tagged_.size() + 1);
  std::vector<bool> keep(tagged_.size());
  // What counts is when an entry was made last.
  for (std::size_t n = tagged_.size(); n-- > 0;) {
    const u64 page = tagged_[n].page;
    const u32 i = tlb_index(page), c = tlb_code_index(page), bit = code_bit(page);
    const bool is_data = (read[i].page == page || write[i].page == page) && !data[i];
    const bool is_code = code[c].page == page && !codes[c];
    const bool is_lost = may_lead_to(page) && !lost[bit];
    data[i] = data[i] || is_data;
    codes[c] = codes[c] || is_code;
    lost[bit] = lost[bit] || is_lost;
    keep[n] = is_data || is_code || is_lost;
  }
  std::size_t kept = 0;
  for (std::size_t n = 0; n < tagged_.size(); ++n) {
    kept_before[n] = static_cast<u32>(kept);
    if (keep[n]) tagged_[kept++] = tagged_[n];
  }
  kept_before[tagged_.size()] = static_cast<u32>(kept);
  confirmed_ = kept_before[confirmed_];
  for (Space& s : spaces_) s.confirmed = kept_before[s.confirmed];
  tagged_.resize(kept);
  compacted_ = kept;
}

// -- Jump caches -----------------------------------------------------------------------------------------------------

backend::JumpCache& TlbContext::jumps_of(u32 mode) {
  for (Jumps& j : jumps_)
    if (j.cache && j.mode == mode) return j.used = true, *j.cache;
  Jumps& j = jumps_[next_jumps_++ % jumps_.size()];
  if (!j.cache) j.cache = std::make_unique<backend::JumpCache>();
  if (j.used) j.cache->clear();
  j.mode = mode;
  j.used = true;
  return *j.cache;
}

void TlbContext::clear_jumps(const backend::JumpCache* active) {
  for (Jumps& j : jumps_)
    if (std::exchange(j.used, j.cache && j.cache.get() == active)) j.cache->clear();
  evicted_pages_.fill(0);
}

void TlbContext::drop_lost_jumps() {
  for_each_jumps([this](backend::JumpCache& jumps) {
    jumps.keep_if([this](u64 pc) { return code[tlb_code_index(pc)].page == page_of(pc); });
  });
  code_evicted = false;
  evicted_pages_.fill(0);
}

void TlbContext::inherit_code(TlbContext& donor) {
  donor.for_each_code([&](u32 i) {
    code[i] = donor.code[i];
    return true;
  });
  code_used_ = donor.code_used_;
  evicted_pages_ = donor.evicted_pages_;
  code_evicted = donor.code_evicted;
  for (const Jumps& j : donor.jumps_)
    if (j.used) jumps_of(j.mode).copy(*j.cache);
  doubted = true;
}

}  // namespace tiercel::engine
