// Synchronous signals: what the kernel says about them, and going on behind the faulting instruction.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "check.h"

static siginfo_t last;
static volatile uint64_t last_pc, last_fault, last_x9, last_sp, last_esr;
static volatile int faults;

// The ESR record of the frame, 0 if there is none.
static uint64_t syndrome_of(const ucontext_t* context) {
  const char* record = (const char*)context->uc_mcontext.__reserved;
  for (;;) {
    const struct _aarch64_ctx* head = (const struct _aarch64_ctx*)record;
    if (head->magic == ESR_MAGIC) return ((const struct esr_context*)head)->esr;
    if (head->magic == 0) return 0;
    record += head->size;
  }
}

static void on_fault(int signal, siginfo_t* info, void* raw) {
  (void)signal;
  ucontext_t* context = raw;
  last = *info;
  last_pc = context->uc_mcontext.pc;
  last_fault = context->uc_mcontext.fault_address;
  last_x9 = context->uc_mcontext.regs[9];
  last_sp = context->uc_mcontext.sp;
  last_esr = syndrome_of(context);
  context->uc_mcontext.regs[10] = 0x1122334455667788;
  context->uc_mcontext.pc += 4;
  faults++;
}

// A branch to a misaligned pc has happened when it is reported: going on means returning to the caller.
static void on_misaligned(int signal, siginfo_t* info, void* raw) {
  on_fault(signal, info, raw);
  ucontext_t* context = raw;
  context->uc_mcontext.pc = context->uc_mcontext.regs[30];
}
static void check_misaligned_branches(void) {
  struct sigaction action = {.sa_sigaction = on_misaligned, .sa_flags = SA_SIGINFO}, old;
  sigaction(SIGBUS, &action, &old);
  const uint64_t code = (uint64_t)check_misaligned_branches;
  const uint64_t targets[] = {code + 1, code + 2, code + 3, 6, 0x7ffffffffff2, UINT64_MAX};
  for (int i = 0; i < 6; i++) {
    for (int again = 0; again < 3; again++) {
      const int before = faults;
      last_fault = 1;
      asm volatile("blr %0" ::"r"(targets[i]) : "x30", "x10", "memory");
      CHECK(faults == before + 1 && last.si_signo == SIGBUS && last.si_code == BUS_ADRALN);
      CHECK((uint64_t)last.si_addr == targets[i] && last_pc == targets[i] && last_fault == 0);
    }
  }
  // BR and RET as well.
  const int before = faults;
  asm volatile("adr x30, 1f\n br %0\n 1:" ::"r"(code + 2) : "x30", "x10", "memory");
  CHECK(faults == before + 1 && last_pc == code + 2);
  asm volatile("adr x30, 1f\n ret %0\n 1:" ::"r"(code + 2) : "x30", "x10", "memory");
  CHECK(faults == before + 2 && last_pc == code + 2);
  sigaction(SIGBUS, &old, NULL);
}

// Exclusives, ordered accesses and atomics must be aligned, wherever they point; other accesses need not.
static void check_misaligned_atomics(void) {
  static _Alignas(64) char bytes[128];
  char* const places[] = {bytes + 1, bytes + 60, (char*)0x7fffffff3001};
#define REFUSED(insn, is_write)                                                                       \
  for (int i = 0; i < 3; i++) {                                                                       \
    const int before = faults;                                                                        \
    uint64_t pc;                                                                                      \
    asm volatile(".arch armv8-a+lse\n mov x9, #5\n adr %0, 1f\n 1: " insn                           \
                 : "=&r"(pc)                                                                          \
                 : "r"(places[i])                                                                     \
                 : "x2", "x3", "x4", "x5", "x9", "x10", "memory");                                    \
    CHECK(faults == before + 1 && last.si_signo == SIGBUS && last.si_code == BUS_ADRALN);             \
    CHECK((char*)last.si_addr == places[i] && last_fault == (uint64_t)places[i]);                     \
    CHECK(last_pc == pc && last_x9 == 5 && last_esr == (0x92000021 | (is_write ? 1u << 6 : 0)));      \
  }
  REFUSED("ldxr x2, [%1]", 0)
  REFUSED("ldaxp x2, x3, [%1]", 0)
  REFUSED("ldar x2, [%1]", 0)
  REFUSED("stlr x9, [%1]", 1)
  REFUSED("ldaddal x9, x2, [%1]", 0)
  REFUSED("stumax x9, [%1]", 0)
  REFUSED("swp x9, x2, [%1]", 0)
  REFUSED("casa x9, x2, [%1]", 0)
  REFUSED("caspal x2, x3, x4, x5, [%1]", 0)
#undef REFUSED
  const int before = faults;
  uint64_t value = 0x1122334455667788, back = 0;
  asm volatile("str %1, [%2]\n ldr %0, [%2]" : "=&r"(back) : "r"(value), "r"(bytes + 1) : "memory");
  CHECK(back == value && faults == before);
}

static sigjmp_buf escape;
static void on_jump(int signal) {
  siglongjmp(escape, signal);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  for (int i = 0; i < 4; i++) sigaction((int[]){SIGSEGV, SIGBUS, SIGILL, SIGTRAP}[i], &action, NULL);

  uint64_t pc, x10, before, after;
  // The state in the frame is exact at the faulting load in the middle of straight code, and changes to it take effect.
  asm volatile(
      "adr %0, 1f\n mov x9, #77\n mov x10, #1\n add x9, x9, #1\n mov x11, #64\n"
      "1: ldr x12, [x11]\n"
      "add x9, x9, #100\n mov %1, x10\n mov %2, x9\n"
      : "=&r"(pc), "=&r"(x10), "=&r"(after)::"x9", "x10", "x11", "x12", "memory");
  CHECK(faults == 1);
  CHECK(last.si_signo == SIGSEGV);
  CHECK(last.si_code == SEGV_MAPERR);
  CHECK((uint64_t)last.si_addr == 64);
  CHECK(last_fault == 64);
  CHECK(last_pc == pc);
  CHECK(last_x9 == 78);
  CHECK(x10 == 0x1122334455667788);
  CHECK(after == 178);

  char* page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *(volatile char*)(page + 5) = 1;
  CHECK(faults == 2);
  CHECK(last.si_code == SEGV_ACCERR);
  CHECK(last.si_addr == page + 5);
  // A store pair that crosses into an unmapped page; the base register must not move.
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
  munmap(page + 4096, 4096);
  char* edge = page + 4096 - 8;
  before = (uint64_t)edge;
  asm volatile("mov x11, %1\n stp x9, x10, [x11], #16\n mov %0, x11" : "=r"(after) : "r"(edge) : "x11", "memory");
  CHECK(faults == 3);
  CHECK(after == before);
  CHECK((char*)last.si_addr >= edge && (char*)last.si_addr <= edge + 8);

  // Execution of a page without PROT_EXEC, and of nothing at all.
  if (!sigsetjmp(escape, 1)) {
    signal(SIGSEGV, on_jump);
    ((void (*)(void))page)();
    CHECK(!"reached");
  } else {
    CHECK(1);
  }
  sigaction(SIGSEGV, &action, NULL);

  // SIGBUS behind the end of a mapped file.
  char name[] = "/tmp/tiercel-fault-XXXXXX";
  int file = mkstemp(name);
  CHECK(file >= 0 && unlink(name) == 0 && ftruncate(file, 10) == 0);
  volatile char* mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(mapped[9] == 0);
  int count = faults;
  (void)mapped[4096];
  CHECK(faults == count + 1);
  CHECK(last.si_signo == SIGBUS);
  CHECK(last.si_code == BUS_ADRERR);
  CHECK((volatile char*)last.si_addr == mapped + 4096);

  asm volatile("adr %0, 1f\n 1: .inst 0" : "=r"(pc));
  CHECK(last.si_signo == SIGILL);
  CHECK(last.si_code == ILL_ILLOPC);
  CHECK((uint64_t)last.si_addr == pc);
  asm volatile("adr %0, 1f\n 1: brk #1000" : "=r"(pc));
  CHECK(last.si_signo == SIGTRAP);
  CHECK(last.si_code == TRAP_BRKPT);
  CHECK((uint64_t)last.si_addr == pc);

  check_misaligned_branches();
  check_misaligned_atomics();

  // Recovery by jumping out, many times.
  volatile int jumps = 0;
  signal(SIGSEGV, on_jump);
  for (volatile int i = 0; i < 1000; i++) {
    if (sigsetjmp(escape, 1) == 0)
      *(volatile int*)32 = i;
    else
      jumps++;
  }
  CHECK(jumps == 1000);
  return finish();
}
