// Runs or sleeps until a debugger interrupts it and sets `stop`.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

volatile int stop;
volatile long rounds;

__attribute__((noinline)) int answer(void) {
  return 1;
}

int main(int argc, char** argv) {
  const int sleeps = argc > 1 && !strcmp(argv[1], "sleep");
  puts("runs");
  fflush(stdout);
  while (!stop) {
    ++rounds;
    if (sleeps) sleep(1000);
  }
  return 40 + answer();
}
