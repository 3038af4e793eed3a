#include "base/own_path.h"

#include <unistd.h>

namespace tiercel {

std::string own_path() {
  char buffer[4096];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof buffer)) return {};
  return {buffer, static_cast<std::size_t>(length)};
}

std::string path_beside_us(const std::string& name) {
  const std::string self = own_path();
  return self.empty() ? self : self.substr(0, self.rfind('/') + 1) + name;
}

}  // namespace tiercel
