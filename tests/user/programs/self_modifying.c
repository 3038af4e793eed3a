// Code that is written, run, changed and run again: in place, through mprotect, through a second mapping, by a thread.
// flags: -pthread
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

typedef uint64_t (*Function)(uint64_t);

static uint32_t movz_x0(uint32_t value) {
  return 0xd2800000u | value << 5;
}
static const uint32_t kRet = 0xd65f03c0;
static uint32_t add_x0(uint32_t value) {
  return 0x91000000u | value << 10;
}

static void emit(uint32_t* at, uint32_t* visible, uint32_t value) {
  at[0] = movz_x0(value);
  at[1] = kRet;
  __builtin___clear_cache((char*)visible, (char*)(visible + 2));
}

static uint32_t* racing;
static _Atomic int stop;
static void* rewriter(void* raw) {
  (void)raw;
  for (uint32_t i = 0; i < 300; i++) {
    // One aligned word changes; the reader sees the old or the new instruction (Arm ARM, concurrent modification).
    __atomic_store_n(racing, i % 2 ? 0x14000002u : 0xd503201fu, __ATOMIC_RELEASE);  // b +8 or nop
    __builtin___clear_cache((char*)racing, (char*)(racing + 1));
    sched_yield();
  }
  stop = 1;
  return NULL;
}

int main(void) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  uint32_t* code = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0);
  uint64_t sum = 0;
  for (uint32_t i = 0; i < 500; i++) {
    emit(code, code, i);
    sum += ((Function)code)(0);
  }
  CHECK(sum == 499 * 500 / 2);

  // Only the second of two functions on one page changes, while the first calls it.
  uint32_t* outer = code + 256;
  uint32_t* inner = code + 512;
  outer[0] = 0xa9bf7bfd;                                                   // stp x29, x30, [sp, #-16]!
  outer[1] = 0x94000000u | (uint32_t)((inner - (outer + 1)) & 0x3ffffff);  // bl inner
  outer[2] = add_x0(1);
  outer[3] = 0xa8c17bfd;  // ldp x29, x30, [sp], #16
  outer[4] = kRet;
  __builtin___clear_cache((char*)outer, (char*)(outer + 5));
  int right = 1;
  for (uint32_t i = 0; i < 300; i++) {
    emit(inner, inner, i * 3);
    right &= ((Function)outer)(0) == i * 3 + 1;
  }
  CHECK(right);

  // Code that rewrites itself further on in the same run: store, clean, barrier, then the changed instruction.
  uint32_t* self = code + 1024;
  const uint32_t body[] = {
      0x10000082,  // adr x2, target
      0xb9000041,  // str w1, [x2]
      0xd50b7b22,  // dc cvau, x2
      0xd5033b9f,  // dsb ish
      0xd50b7522,  // ic ivau, x2
      0xd5033b9f,  // dsb ish
      0xd5033fdf,  // isb
      0xd2800000,  // target: mov x0, #0
      kRet,
  };
  memcpy(self, body, sizeof body);
  self[0] = 0x10000000u | (7u << 5) | 2u;  // adr x2, 7 instructions ahead
  __builtin___clear_cache((char*)self, (char*)self + sizeof body);
  right = 1;
  for (uint32_t i = 0; i < 200; i++) right &= ((uint64_t(*)(uint64_t, uint64_t))self)(0, movz_x0(i)) == i;
  CHECK(right);

  // Write or execute, never both.
  uint32_t* strict = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
  right = 1;
  for (uint32_t i = 0; i < 100; i++) {
    mprotect(strict, 4096, PROT_READ | PROT_WRITE);
    emit(strict, strict, i + 1000);
    mprotect(strict, 4096, PROT_READ | PROT_EXEC);
    right &= ((Function)strict)(0) == i + 1000;
  }
  CHECK(right);

  // Two views of the same memory: written through one, run through the other.
  int memory = memfd_create("code", 0);
  CHECK(memory >= 0 && ftruncate(memory, 4096) == 0);
  uint32_t* writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  uint32_t* runnable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0);
  right = 1;
  for (uint32_t i = 0; i < 100; i++) {
    emit(writable, runnable, i + 2000);
    right &= ((Function)runnable)(0) == i + 2000;
  }
  CHECK(right);

  // Fresh code at an address whose mapping was replaced, and code loaded by read(2).
  right = 1;
  for (uint32_t i = 0; i < 50; i++) {
    uint32_t* again = mmap(strict, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags | MAP_FIXED, -1, 0);
    emit(again, again, i + 3000);
    right &= ((Function)again)(0) == i + 3000;
  }
  CHECK(right);
  uint32_t image[2] = {movz_x0(4321), kRet};
  CHECK(pwrite(memory, image, sizeof image, 1024) == sizeof image &&
        pread(memory, strict, sizeof image, 1024) == sizeof image);
  __builtin___clear_cache((char*)strict, (char*)(strict + 2));
  CHECK(((Function)strict)(0) == 4321);

  racing = code + 2048;
  racing[0] = 0xd503201f;
  racing[1] = add_x0(1);
  racing[2] = add_x0(2);
  racing[3] = kRet;
  __builtin___clear_cache((char*)racing, (char*)(racing + 4));
  pthread_t thread;
  pthread_create(&thread, NULL, rewriter, NULL);
  right = 1;
  while (!stop) {
    uint64_t result = ((Function)racing)(10);
    right &= result == 13 || result == 12;
  }
  pthread_join(thread, NULL);
  CHECK(right);
  CHECK(((Function)racing)(10) == 12);
  return finish();
}
