// status: 139
#include <stdio.h>
int main(void) {
  puts("before the wild store");
  fflush(stdout);
  *(volatile int*)16 = 1;
  return 0;
}
