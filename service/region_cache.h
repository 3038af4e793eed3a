// What the service has compiled, by what was asked for: guest processes mostly run the same programs and libraries, and
// a shell script starts them again and again. An answer is found only for a request that is the same byte for byte.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/types.h"

namespace tiercel::service {

class RegionCache {
 public:
  /// `bytes`: how much it may hold; what was not asked for longest goes first.
  explicit RegionCache(u64 bytes) : limit_(bytes) {}

  /// The reply to `request`, or null; valid until add().
  const std::string* find(std::string_view request);
  void add(std::string request, std::string reply);

 private:
  struct Entry {
    std::string request, reply;
    u64 bytes() const { return request.size() + reply.size(); }
  };

  const u64 limit_;
  u64 used_ = 0;
  std::list<Entry> entries_;  // the last one asked for first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_request_;
};

}  // namespace tiercel::service
