#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tiercel {

void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "tiercel: internal error: %s:%d: CHECK(%s) failed%s%s\n", file, line, condition,
               *message ? ": " : "", message);
  std::abort();
}

}  // namespace tiercel
