// bench: class=memory flags=-O2 iterations=8 quick=1
// Open addressing in a table larger than the second-level cache: insert, find, remove.
#include <string.h>

#include "kernel.h"

enum { kSlots = 1 << 20 };

static uint64_t table[kSlots];

static uint32_t slot_of(uint64_t key) {
  return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 44);
}

static int find(uint64_t key, uint32_t* at) {
  uint32_t i = slot_of(key);
  while (table[i] && table[i] != key) i = (i + 1) & (kSlots - 1);
  *at = i;
  return table[i] == key;
}

static void erase(uint32_t hole) {
  for (uint32_t i = (hole + 1) & (kSlots - 1); table[i]; i = (i + 1) & (kSlots - 1)) {
    uint32_t home = slot_of(table[i]);
    if (((i - home) & (kSlots - 1)) >= ((i - hole) & (kSlots - 1))) {
      table[hole] = table[i];
      hole = i;
    }
  }
  table[hole] = 0;
}

int main(int argc, char** argv) {
  uint32_t seed = 31;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    memset(table, 0, sizeof table);
    for (int i = 0; i < 400000; i++) {
      uint64_t key = kernel_random(&seed) % 1000000 + 1;
      uint32_t at;
      if (!find(key, &at))
        table[at] = key;
      else if (key % 4 == 0)
        erase(at);
      sum += at;
    }
  }
  return kernel_result(sum);
}
