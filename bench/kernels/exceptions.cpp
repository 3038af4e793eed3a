// bench: class=callret flags=-O2 iterations=25000 quick=2500
// C++ exceptions thrown through several frames with destructors to run, caught by type.
#include <stdexcept>
#include <string>

#include "kernel.h"

struct Guard {
  uint64_t& counter;
  ~Guard() { counter++; }
};

struct Odd : std::runtime_error {
  uint32_t value;
  explicit Odd(uint32_t v) : std::runtime_error("odd"), value(v) {}
};

__attribute__((noinline)) static uint32_t descend(uint32_t depth, uint32_t x, uint64_t& unwound) {
  Guard guard{unwound};
  if (depth == 0) {
    if (x % 3 == 0) throw Odd(x);
    if (x % 3 == 1) throw std::out_of_range("far");
    return x;
  }
  return descend(depth - 1, x, unwound) + 1;
}

int main(int argc, char** argv) {
  uint32_t seed = 17;
  uint64_t sum = 0, unwound = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    uint32_t x = kernel_random(&seed);
    try {
      sum = kernel_mix(sum, descend(x % 7, x, unwound));
    } catch (const Odd& e) {
      sum = kernel_mix(sum, e.value);
    } catch (const std::exception& e) {
      sum = kernel_mix(sum, static_cast<uint64_t>(e.what()[0]));
    }
  }
  return kernel_result(kernel_mix(sum, unwound));
}
