#include "app/boot_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace tiercel::app {

int run_boot(char** argv) {
  constexpr int kFailed = 125;
  char buffer[4096];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  std::string path(buffer, length > 0 ? static_cast<std::size_t>(length) : 0);
  path.replace(path.rfind('/') + 1, std::string::npos, "tiercel-machine");
  execv(path.c_str(), argv);
  std::fprintf(stderr, "tiercel: cannot execute %s: %s\n", path.c_str(), std::strerror(errno));
  return kFailed;
}

}  // namespace tiercel::app
