// What breakpoints, steps, watches, registers and memory are tried on.
#include <stdio.h>

int counter;
long table[4];
double half = 0.5;

__attribute__((noinline)) int leaf(int x) {
  counter += x;
  return x * 2;
}

__attribute__((noinline)) int middle(int x) {
  int r = leaf(x);
  return r + 1;
}

__attribute__((noinline)) double twice(double x) {
  return x + x;
}

__attribute__((noinline)) long last(void) {
  return table[2];
}

int main(int argc, char** argv) {
  int sum = 0;
  (void)argv;
  for (int i = 0; i < 4; ++i) sum += middle(i);
  half = twice(half);
  table[2] = 7;
  sum += (int)last();
  printf("sum %d counter %d half %g\n", sum, counter, half);
  return argc == 1 ? sum : counter;
}
