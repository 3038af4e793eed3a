// status: 132
#include <stdio.h>
int main(void) {
  puts("before the undefined instruction");
  fflush(stdout);
  asm volatile(".inst 0x00000000");
  return 0;
}
