// What a debugged guest and its debugger tell each other. Signals have Linux's numbers.
#pragma once

#include "base/types.h"

namespace tiercel::debug {

using ThreadId = u64;  // 0: none in particular

/// How a thread goes on.
struct Resume {
  enum class How : u8 { Hold, Continue, Step };
  How how = How::Hold;
  int signal = 0;                      // what the guest gets first; 0: nothing
  u64 range_start = 0, range_end = 0;  // Step: until pc is outside, but one insn at least
};

/// Why the guest stands still, or is no more.
struct StopEvent {
  enum class Kind : u8 {
    Interrupted,  // the debugger wanted it
    Stepped,
    Breakpoint,  // before the insn
    Watch,       // before the insn that accesses `address`
    Signal,      // `number`, before the guest gets it
    Executed,    // another program, before its first insn
    Exited,      // `number` is the status
    Killed,      // by the signal `number`
  };
  Kind kind = Kind::Interrupted;
  ThreadId thread = 0;
  int number = 0;
  u64 address = 0;
  bool reads = false, writes = false;  // what Watch looked for

  bool is_end() const { return kind == Kind::Exited || kind == Kind::Killed; }
};

}  // namespace tiercel::debug
