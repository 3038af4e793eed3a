// The translation service itself: takes requests from processes of one user, has them compiled in
// parallel by processes of its own, ends when idle.
#pragma once

#include <string>

#include "service/worker.h"

namespace tiercel::service {

struct ServerOptions {
  std::string directory;
  std::string compiler;  // this program's path; part of the socket's name
  u32 workers = 0;       // 0: one per host CPU, at most 8
  u32 idle_seconds = 60;
  u32 compile_seconds = 20;     // for one region; the client waits somewhat longer
  u64 cache_bytes = 512 << 20;  // of requests and what they were answered, kept for those who ask again
  std::string keep;             // a directory where requests are left as files; empty: none
  MakeCompiler make_compiler;
};

/// Serves until idle. Returns the exit status: 0, also when another service has the socket already; 1 with a message on
/// standard error.
int serve(const ServerOptions& options);

}  // namespace tiercel::service
