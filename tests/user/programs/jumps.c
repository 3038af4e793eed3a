// setjmp/longjmp, recursion, computed jumps, calls through tables, contexts.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <ucontext.h>
#include "check.h"

static jmp_buf buffer;
static void deep(int n);
static void (*volatile deeper)(int) = deep;
static void deep(int n) {
  if (n == 0) longjmp(buffer, 42);
  deeper(n - 1);
}
static uint64_t fibonacci(int n) {
  return n < 2 ? (uint64_t)n : fibonacci(n - 1) + fibonacci(n - 2);
}
static int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
static long sum(int count, ...) {
  va_list list;
  va_start(list, count);
  long total = 0;
  for (int i = 0; i < count; i++) total += i % 2 ? (long)va_arg(list, double) : va_arg(list, int);
  va_end(list);
  return total;
}
static int interpret(const char* program) {
  static void* const labels[] = {&&add, &&twice, &&less, &&stop};
  int value = 0;
  goto* labels[(int)*program++];
add:
  value += 10;
  goto* labels[(int)*program++];
twice:
  value *= 2;
  goto* labels[(int)*program++];
less:
  value -= 3;
  goto* labels[(int)*program++];
stop:
  return value;
}
static int one(int x) {
  return x + 1;
}
static int two(int x) {
  return x * 2;
}
static int three(int x) {
  return x - 3;
}

static ucontext_t main_context, other_context;
static int switches;
static void other(void) {
  for (int i = 0; i < 3; i++) {
    switches++;
    swapcontext(&other_context, &main_context);
  }
}

int main(void) {
  volatile int rounds = 0;
  int value = setjmp(buffer);
  if (value == 0 || rounds < 100) {
    rounds++;
    deep(rounds % 50);
  }
  CHECK(value == 42 && rounds == 100);
  CHECK(fibonacci(24) == 46368);
  CHECK(ackermann(2, 50) == 103);
  CHECK(sum(6, 1, 2.0, 3, 4.0, 5, 6.0) == 21);
  CHECK(interpret("\0\1\2\0\1\3") == 54);
  int (*const table[])(int) = {one, two, three};
  int x = 1;
  for (int i = 0; i < 30000; i++) x = table[i % 3](x) & 0xffff;
  int y = 1;
  for (int i = 0; i < 30000; i++) y = (i % 3 == 0 ? y + 1 : i % 3 == 1 ? y * 2 : y - 3) & 0xffff;
  CHECK(x == y);
  static char stack[65536];
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = stack;
  other_context.uc_stack.ss_size = sizeof stack;
  other_context.uc_link = &main_context;
  makecontext(&other_context, other, 0);
  for (int i = 0; i < 3; i++) swapcontext(&main_context, &other_context);
  CHECK(switches == 3);
  return finish();
}
