// bench: class=simd flags=-O2,-fno-builtin iterations=4000 quick=300
// The C library's string and memory functions, which are vector code on both machines.
#include <string.h>

#include "kernel.h"

enum { kText = 8192 };

int main(int argc, char** argv) {
  static char text[kText + 1], copy[kText + 1], words[512][16];
  uint32_t seed = 41;
  for (int i = 0; i < kText; i++) text[i] = (char)('a' + kernel_random(&seed) % 25);
  memcpy(copy, text, sizeof text);
  for (int i = 0; i < 512; i++)
    snprintf(words[i], sizeof words[i], "%c%u", 'a' + i % 26, kernel_random(&seed) % 100000);
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    for (int start = 0; start < 512; start += 37) {
      sum += strlen(text + start) + strnlen(text + start, 1000) + (size_t)(strchr(text + start, 0) - text);
      sum +=
          !strchr(text + start, 'z') + !memchr(text, 'z', kText - (size_t)start) + (size_t)(strrchr(text, 'a') - text);
      sum += (uint32_t)(memcmp(text + start, copy + start, kText - (size_t)start) == 0);
      sum += (uint32_t)(strcmp(text + start, copy + start) == 0);
      memset(copy + start, text[start], 300);
      memmove(copy + start, text + start, 300);
      memcpy(copy + 512, text + 512, kText - 512);
    }
    for (int i = 0; i + 1 < 512; i++) {
      sum += (uint32_t)(strcmp(words[i], words[i + 1]) < 0) + strlen(words[i]);
      sum += strspn(words[i], "abcdefgh") + (strstr(text, "zq") == text);
      i += i & 31;
    }
    sum = kernel_mix(sum, (uint8_t)copy[n % kText]);
  }
  return kernel_result(sum);
}
