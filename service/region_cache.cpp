#include "service/region_cache.h"

#include <utility>

namespace tiercel::service {

const std::string* RegionCache::find(std::string_view request) {
  const auto found = by_request_.find(request);
  if (found == by_request_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->reply;
}

void RegionCache::add(std::string request, std::string reply) {
  Entry entry{std::move(request), std::move(reply)};
  // One large region must not push out all others.
  if (entry.bytes() > limit_ / 16 || by_request_.contains(entry.request)) return;
  used_ += entry.bytes();
  entries_.push_front(std::move(entry));
  by_request_.emplace(entries_.front().request, entries_.begin());
  while (used_ > limit_) {
    used_ -= entries_.back().bytes();
    by_request_.erase(entries_.back().request);
    entries_.pop_back();
  }
}

}  // namespace tiercel::service
