// What the command line says about the guest program.
#pragma once

#include <string>
#include <vector>

#include "engine/options.h"

namespace tiercel::user {

struct RunOptions {
  std::string root;                    // host directory that guest paths are looked up in first; empty: none
  bool root_strict = false;            // never fall back on the host's own files
  std::string program;                 // as the guest names it
  bool search_path = true;             // a program without a slash is looked up in PATH
  std::vector<std::string> arguments;  // argv, argv[0] included
  std::vector<std::string> environment;
  u64 stack_bytes = 0;       // 0: what RLIMIT_STACK says
  std::string gdb;           // where to wait for a debugger; empty: nowhere. Not for what the program executes
  std::string gdb_handover;  // of a debugger that follows into the program (ExecHandover)
  bool strace = false;
  int trace_descriptor = -1;  // where the trace goes; -1: still to be made from standard error
  bool stats = false, stats_json = false;
  bool explain = false;  // with stats: in words
  engine::Options engine;
  bool tier_named = false;  // by the user: a missing translation service is worth a word

  /// One word that says all of this except program, arguments and environment, for programs that the guest executes.
  std::string pack() const;
  /// The inverse; false if the word is not ours.
  bool unpack(const std::string& word);
};

}  // namespace tiercel::user
