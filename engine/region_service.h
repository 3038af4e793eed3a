// Who compiles regions for the engine: a process of its own (folder service), or in tests the compiler itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/region_code.h"

namespace tiercel::engine {

struct RegionAnswer {
  u64 ticket = 0;
  bool compiled = false;  // `code` is valid: checked to be safe to map
  backend::RegionCode code;
  std::string why;  // not compiled: the reason, a sentence
  u64 compile_ns = 0;
};

/// Called under the engine's lock.
class RegionService {
 public:
  virtual ~RegionService() = default;
  /// False: cannot take it now; nothing will come back for this ticket.
  virtual bool submit(u64 ticket, const ir::Region& region, bool want_listing) = 0;
  /// One answer that has come; `wait`: for the oldest request without one. False: none.
  virtual bool collect(RegionAnswer& answer, bool wait) = 0;
  /// Answers to what was submitted so far will not be asked for: the cache was cleared, or this is a forked child.
  virtual void forget() = 0;
};

/// Makes the service for code that depends on this; null: there is none.
using MakeRegionService = std::function<std::unique_ptr<RegionService>(const backend::VmLayout&)>;

}  // namespace tiercel::engine
