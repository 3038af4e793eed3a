// bench: class=threads flags=-O2 libs=-pthread iterations=1500000 quick=150000
// Atomic operations of every kind in one thread: add, exchange, compare-and-swap, bit operations, acquire and release,
// a spin lock.
#include <stdatomic.h>

#include "kernel.h"

static _Atomic uint64_t wide;
static _Atomic uint32_t word, flags;
static _Atomic uint8_t byte;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static uint64_t guarded;

int main(int argc, char** argv) {
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    sum += atomic_fetch_add(&wide, (uint64_t)n);
    sum += atomic_fetch_add_explicit(&word, 3, memory_order_relaxed);
    sum ^= atomic_exchange_explicit(&flags, (uint32_t)n, memory_order_acq_rel);
    atomic_fetch_or(&flags, 0x100);
    atomic_fetch_and_explicit(&flags, ~0x11u, memory_order_release);
    sum += atomic_fetch_xor(&byte, (uint8_t)n);
    uint64_t seen = atomic_load_explicit(&wide, memory_order_acquire);
    while (!atomic_compare_exchange_weak(&wide, &seen, seen ^ 0x5555)) continue;
    uint32_t expected = (uint32_t)n;
    sum += atomic_compare_exchange_strong(&word, &expected, 1);
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) continue;
    guarded += seen;
    atomic_flag_clear_explicit(&lock, memory_order_release);
    atomic_store(&flags, (uint32_t)guarded);
  }
  return kernel_result(kernel_mix(sum, guarded));
}
