// What the guest has mapped where: an interval map, so that cost follows the number of mappings and never their size.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace tiercel::user {

/// Where the guest's addresses end: what a 47-bit host can hold.
inline constexpr u64 kAddressLimit = 0x7ffffffff000;

/// Attributes of a mapping. Two neighbours with equal attributes (and contiguous file offsets) are one region.
struct Mapping {
  int prot = 0;  // the guest's PROT_READ | PROT_WRITE | PROT_EXEC
  bool shared = false;
  u32 name = 0;    // index into PageMap's names; 0: anonymous
  u64 offset = 0;  // file offset of the region's first byte; 0 when anonymous
  dev_t device = 0;
  ino_t inode = 0;
};

class PageMap {
 public:
  struct Region {
    u64 start, end;
    Mapping mapping;
  };

  PageMap() { names_.emplace_back(); }

  /// Index for `name`, for Mapping::name.
  u32 intern(std::string_view name);
  const std::string& name(u32 index) const { return names_[index]; }

  /// [start, end) becomes one mapping, replacing what was there. Addresses are page-aligned, start < end.
  void insert(u64 start, u64 end, const Mapping& mapping);
  void erase(u64 start, u64 end);
  /// Changes the protection of every mapped part of [start, end).
  void protect(u64 start, u64 end, int prot);

  /// The region that contains `address`, or null. Valid until the next change.
  const Region* find(u64 address) const;
  /// True if every page of [start, end) is mapped.
  bool covers(u64 start, u64 end) const;
  /// True if some mapped page in [start, end) has all of `prot`.
  bool any_with(u64 start, u64 end, int prot) const;
  /// The mapped parts of [start, end), in order, cut to it.
  std::vector<Region> parts(u64 start, u64 end) const;
  /// The unmapped parts of [start, end).
  std::vector<std::pair<u64, u64>> gaps(u64 start, u64 end) const;

  std::size_t size() const { return regions_.size(); }

 private:
  using Map = std::map<u64, Region>;
  Map::const_iterator first_overlap(u64 start) const;
  void split(u64 address);
  void merge_around(u64 start, u64 end);

  Map regions_;  // by start
  std::vector<std::string> names_;
  std::map<std::string, u32, std::less<>> name_index_;
};

}  // namespace tiercel::user
