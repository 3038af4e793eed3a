// What a server has to know to go on with a debugger that another one has served so far: the guest executes a program,
// and its process begins anew.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace tiercel::debug::gdb {

struct Handover {
  int listener = -1, connection = -1;  // descriptors, as those in `files`
  std::string where, file;             // Listener's
  bool acknowledges = true, knows_breakpoint_stops = false;
  u64 passed_signals = 0;
  std::map<u64, int> files;  // that the debugger has open
  u64 next_file = 1;

  std::vector<int*> descriptors();
  /// One word without commas.
  std::string pack() const;
  static std::optional<Handover> unpack(std::string_view word);
};

}  // namespace tiercel::debug::gdb
