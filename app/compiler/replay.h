// `tiercel-compiler --replay`: compiles requests that a service kept, to look at one or to measure the compiler.
#pragma once

#include <string>
#include <vector>

namespace tiercel::app {

struct ReplayOptions {
  std::vector<std::string> files;
  unsigned times = 1;
  bool listing = false;
};

/// Prints a line per request and one of sums. The exit status: 0, or 1 with a message where a file is no request.
int replay(const ReplayOptions& options);

}  // namespace tiercel::app
