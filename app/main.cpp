// tiercel: runs a Linux program of another architecture, or a whole machine. The composition root: here guest, engine
// and personality meet.
#include <cstdio>
#include <cstring>

#include "app/bench_command.h"
#include "app/boot_command.h"
#include "app/run_command.h"

int main(int argc, char** argv) {
  // How a guest's execve starts us; kept apart so that start-up pays for no option parser.
  if (argc >= 4 && std::strcmp(argv[1], "--exec") == 0) return tiercel::app::run_executed(argc, argv);
  if (argc >= 2 && std::strcmp(argv[1], "bench") == 0) return tiercel::app::run_bench(argc, argv);
  if (argc >= 2 && std::strcmp(argv[1], "boot") == 0) return tiercel::app::run_boot(argv);
  return tiercel::app::run_from_command_line(argc, argv);
}
