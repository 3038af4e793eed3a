#include "user/memory/page_map.h"

#include <algorithm>
#include <iterator>

namespace tiercel::user {

namespace {

bool continues(const PageMap::Region& a, const PageMap::Region& b) {
  const Mapping &x = a.mapping, &y = b.mapping;
  if (a.end != b.start || x.prot != y.prot || x.shared != y.shared || x.name != y.name) return false;
  if (x.inode != y.inode || x.device != y.device) return false;
  return x.inode == 0 || x.offset + (a.end - a.start) == y.offset;
}

}  // namespace

u32 PageMap::intern(std::string_view name) {
  if (name.empty()) return 0;
  if (const auto it = name_index_.find(name); it != name_index_.end()) return it->second;
  names_.emplace_back(name);
  const u32 index = static_cast<u32>(names_.size() - 1);
  name_index_.emplace(names_.back(), index);
  return index;
}

PageMap::Map::const_iterator PageMap::first_overlap(u64 start) const {
  auto it = regions_.upper_bound(start);
  if (it != regions_.begin() && std::prev(it)->second.end > start) --it;
  return it;
}

void PageMap::split(u64 address) {
  auto it = regions_.upper_bound(address);
  if (it == regions_.begin()) return;
  Region& left = std::prev(it)->second;
  if (left.start == address || left.end <= address) return;
  Region right = left;
  right.start = address;
  if (right.mapping.inode != 0) right.mapping.offset += address - left.start;
  left.end = address;
  regions_.emplace_hint(it, address, right);
}

void PageMap::merge_around(u64 start, u64 end) {
  auto it = regions_.lower_bound(start);
  if (it != regions_.begin()) --it;
  while (it != regions_.end() && it->second.start <= end) {
    const auto next = std::next(it);
    if (next == regions_.end()) return;
    if (continues(it->second, next->second)) {
      it->second.end = next->second.end;
      regions_.erase(next);
    } else {
      it = next;
    }
  }
}

void PageMap::insert(u64 start, u64 end, const Mapping& mapping) {
  split(start);
  split(end);
  regions_.erase(regions_.lower_bound(start), regions_.lower_bound(end));
  regions_.emplace(start, Region{start, end, mapping});
  merge_around(start, end);
}

void PageMap::erase(u64 start, u64 end) {
  split(start);
  split(end);
  regions_.erase(regions_.lower_bound(start), regions_.lower_bound(end));
}

void PageMap::protect(u64 start, u64 end, int prot) {
  split(start);
  split(end);
  for (auto it = regions_.lower_bound(start); it != regions_.end() && it->first < end; ++it)
    it->second.mapping.prot = prot;
  merge_around(start, end);
}

const PageMap::Region* PageMap::find(u64 address) const {
  const auto it = regions_.upper_bound(address);
  if (it == regions_.begin()) return nullptr;
  const Region& r = std::prev(it)->second;
  return address < r.end ? &r : nullptr;
}

bool PageMap::covers(u64 start, u64 end) const {
  for (u64 at = start; at < end;) {
    const Region* r = find(at);
    if (!r) return false;
    at = r->end;
  }
  return true;
}

bool PageMap::any_with(u64 start, u64 end, int prot) const {
  for (auto it = first_overlap(start); it != regions_.end() && it->first < end; ++it)
    if ((it->second.mapping.prot & prot) == prot) return true;
  return false;
}

std::vector<PageMap::Region> PageMap::parts(u64 start, u64 end) const {
  std::vector<Region> out;
  for (auto it = first_overlap(start); it != regions_.end() && it->first < end; ++it) {
    Region r = it->second;
    if (r.start < start) {
      if (r.mapping.inode != 0) r.mapping.offset += start - r.start;
      r.start = start;
    }
    r.end = std::min(r.end, end);
    out.push_back(r);
  }
  return out;
}

std::vector<std::pair<u64, u64>> PageMap::gaps(u64 start, u64 end) const {
  std::vector<std::pair<u64, u64>> out;
  u64 at = start;
  for (auto it = first_overlap(start); it != regions_.end() && it->first < end; ++it) {
    if (it->first > at) out.emplace_back(at, it->first);
    at = it->second.end;
  }
  if (at < end) out.emplace_back(at, end);
  return out;
}

}  // namespace tiercel::user
