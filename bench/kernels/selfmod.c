// bench: class=jit flags=-O2 iterations=10000 quick=800
// Code written at run time: a small function is generated, called a few hundred times, and then changed in place.
#include <string.h>
#include <sys/mman.h>

#include "kernel.h"

typedef uint64_t (*Generated)(uint64_t);

// Emits f(x) = ((x + add) ^ xor) * 3 once per step. Constants are below 4096 so that both machines encode them in one
// instruction.
#if defined(__aarch64__)
static uint8_t* put(uint8_t* at, uint32_t word) {
  memcpy(at, &word, 4);
  return at + 4;
}
static uint8_t* emit_step(uint8_t* at, uint32_t add, uint32_t xor) {
  at = put(at, 0x91000000 | add << 10);  // add x0, x0, #add
  at = put(at, 0xd2800001 | xor << 5);   // mov x1, #xor
  at = put(at, 0xca010000);              // eor x0, x0, x1
  return put(at, 0x8b000400);            // add x0, x0, x0, lsl #1
}
static uint8_t* emit_prologue(uint8_t* at) {
  return at;
}
static uint8_t* emit_return(uint8_t* at) {
  return put(at, 0xd65f03c0);
}
#elif defined(__x86_64__)
static uint8_t* put(uint8_t* at, const void* bytes, size_t count) {
  memcpy(at, bytes, count);
  return at + count;
}
static uint8_t* emit_step(uint8_t* at, uint32_t add, uint32_t xor) {
  at = put(at, "\x48\x05", 2);  // add rax, imm32
  at = put(at, &add, 4);
  at = put(at, "\x48\x35", 2);  // xor rax, imm32
  at = put(at, &xor, 4);
  return put(at, "\x48\x8d\x04\x40", 4);  // lea rax, [rax + rax*2]
}
static uint8_t* emit_prologue(uint8_t* at) {
  return put(at, "\x48\x89\xf8", 3);
}  // mov rax, rdi
static uint8_t* emit_return(uint8_t* at) {
  return put(at, "\xc3", 1);
}
#else
#error "no emitter for this machine"
#endif

static void generate(uint8_t* code, int steps, uint32_t* seed) {
  uint8_t* at = emit_prologue(code);
  for (int i = 0; i < steps; i++) {
    uint32_t random = kernel_random(seed);
    at = emit_step(at, random & 4095, random >> 12 & 4095);
  }
  at = emit_return(at);
  __builtin___clear_cache((char*)code, (char*)at);
}

int main(int argc, char** argv) {
  enum { kRegions = 4, kRegion = 4096 };
  uint8_t* code =
      mmap(NULL, kRegions * kRegion, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  uint32_t seed = 61;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    uint8_t* region = code + (n % kRegions) * kRegion;
    generate(region, 4 + (int)(n % 24), &seed);
    Generated function;
    memcpy(&function, &region, sizeof function);
    for (int i = 0; i < 300; i++) sum += function(sum + (uint64_t)i);
    sum = kernel_mix(sum, (uint64_t)n);
  }
  return kernel_result(sum);
}
