// Pointers with something in the top byte, which Linux lets programs use: loads and stores ignore it whatever register
// holds the pointer, and a fault at one reports the address without it.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "check.h"

enum { kPointers = 24 };

static long values[kPointers];
static long* pointers[kPointers];
static sigjmp_buf jump;
static void* fault_address;

static long* tag(long* p, unsigned byte) {
  return (long*)((unsigned long)p | (unsigned long)byte << 56);
}

// All pointers are live at once, so that each is in another register, or comes from memory.
static long sum_all(long** p) {
  long sum;
  asm volatile(
      "ldp x0, x1, [%1]\n ldp x2, x3, [%1, #16]\n ldp x4, x5, [%1, #32]\n ldp x6, x7, [%1, #48]\n"
      "ldp x8, x9, [%1, #64]\n ldp x10, x11, [%1, #80]\n ldp x12, x13, [%1, #96]\n ldp x14, x15, [%1, #112]\n"
      "ldp x16, x17, [%1, #128]\n ldp x20, x21, [%1, #144]\n ldp x22, x23, [%1, #160]\n ldp x24, x25, [%1, #176]\n"
      "ldr x0, [x0]\n ldr x1, [x1]\n ldr x2, [x2]\n ldr x3, [x3]\n ldr x4, [x4]\n ldr x5, [x5]\n ldr x6, [x6]\n"
      "ldr x7, [x7]\n ldr x8, [x8]\n ldr x9, [x9]\n ldr x10, [x10]\n ldr x11, [x11]\n ldr x12, [x12]\n"
      "ldr x13, [x13]\n ldr x14, [x14]\n ldr x15, [x15]\n ldr x16, [x16]\n ldr x17, [x17]\n ldr x20, [x20]\n"
      "ldr x21, [x21]\n ldr x22, [x22]\n ldr x23, [x23]\n ldr x24, [x24]\n ldr x25, [x25]\n"
      "add x0, x0, x1\n add x0, x0, x2\n add x0, x0, x3\n add x0, x0, x4\n add x0, x0, x5\n add x0, x0, x6\n"
      "add x0, x0, x7\n add x0, x0, x8\n add x0, x0, x9\n add x0, x0, x10\n add x0, x0, x11\n add x0, x0, x12\n"
      "add x0, x0, x13\n add x0, x0, x14\n add x0, x0, x15\n add x0, x0, x16\n add x0, x0, x17\n add x0, x0, x20\n"
      "add x0, x0, x21\n add x0, x0, x22\n add x0, x0, x23\n add x0, x0, x24\n add %0, x0, x25\n"
      : "=r"(sum)
      : "r"(p)
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x20", "x21", "x22", "x23", "x24", "x25", "memory");
  return sum;
}

// A chain in one block: each pointer is loaded through the one before it.
static long follow(void* p) {
  long last;
  asm volatile(
      "ldr x0, [%1]\n ldr x1, [x0]\n ldr x2, [x1]\n ldr x3, [x2]\n ldr x4, [x3]\n ldr x5, [x4]\n ldr x6, [x5]\n"
      "ldr x0, [x6]\n add %0, x0, #0\n"
      : "=r"(last)
      : "r"(p)
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "memory");
  return last;
}

static void on_fault(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  fault_address = info->si_addr;
  siglongjmp(jump, 1);
}

int main(void) {
  long expected = 0;
  for (int i = 0; i < kPointers; i++) {
    expected += values[i] = i * i + 1;
    pointers[i] = tag(&values[i], 0x11 * (i % 15 + 1));
  }
  CHECK(sum_all(pointers) == expected);
  for (int i = 0; i < kPointers; i++) *(volatile long*)pointers[i] += 2;
  CHECK(sum_all(pointers) == expected + 2 * kPointers);

  void* chain[8];
  for (int i = 0; i < 7; i++) chain[i] = tag((long*)&chain[i + 1], 0xa0 + i);
  chain[7] = (void*)42;
  CHECK(follow(tag((long*)chain, 0xff)) == 42);

  char* nothing = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGBUS, &action, 0);
  for (int i = 0; i < kPointers; i++) pointers[i] = tag((long*)(nothing + 16), 0x7f);
  if (sigsetjmp(jump, 1) == 0) sum_all(pointers);
  CHECK(fault_address == nothing + 16);
  return finish();
}
