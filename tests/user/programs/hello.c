// args: one "two words"
// status: 7
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  printf("argc=%d\n", argc);
  for (int i = 1; i < argc; i++) printf("argv[%d]=<%s>\n", i, argv[i]);
  printf("argv[argc] is %s\n", argv[argc] ? "set" : "null");
  printf("%d %u %lld %x %.3f %s\n", -42, 42u, 1LL << 40, 0xbeef, 3.14159, "text");
  return 7;
}
