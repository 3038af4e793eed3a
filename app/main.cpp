#include <cstdio>

int main() {
  std::fputs("tiercel: not built yet\n", stderr);
  return 125;
}
