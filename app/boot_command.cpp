#include "app/boot_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/own_path.h"

namespace tiercel::app {

int run_boot(char** argv) {
  constexpr int kFailed = 125;
  const std::string path = path_beside_us("tiercel-machine");
  execv(path.c_str(), argv);
  std::fprintf(stderr, "tiercel: cannot execute %s: %s\n", path.c_str(), std::strerror(errno));
  return kFailed;
}

}  // namespace tiercel::app
