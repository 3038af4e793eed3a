// The translation service itself: takes requests from processes of one user, compiles them in parallel, ends when idle.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/region_code.h"

namespace tiercel::service {

struct ServerOptions {
  std::string directory;
  std::string compiler;  // this program's path; part of the socket's name
  u32 threads = 0;       // 0: one per host CPU, at most 8
  u32 idle_seconds = 60;
  std::function<std::unique_ptr<backend::RegionCompiler>(const backend::VmLayout&, const backend::HostFeatures&)>
      make_compiler;
};

/// Serves until idle. Returns the exit status: 0, also when another service has the socket already; 1 with a message on
/// standard error.
int serve(const ServerOptions& options);

}  // namespace tiercel::service
