// tiercel-machine: what `tiercel boot` executes. A program of its own because it links a shared library, which tiercel
// does not.
#include <csignal>
#include <cstdio>
#include <exception>

#include "app/machine/run.h"
#include "engine/engine.h"

namespace {

int complain(const tiercel::Error& error, int status) {
  std::fprintf(stderr, "tiercel: %s\n", error.message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace tiercel::machine;
  std::signal(SIGPIPE, SIG_IGN);
  tiercel::engine::Engine::catch_host_faults();  // regions stop by a fault
  block_signals();
  const auto options = parse_options(argc - 1, argv + 1);
  if (!options) return complain(options.error(), kFailed);
  if (!*options) return 0;
  const auto machine = assemble(**options);
  if (!machine) return complain(machine.error(), kFailed);
  const auto ended = run(**machine, **options);
  return ended ? 0 : complain(ended.error(), ended.error().code);
} catch (const std::exception& e) {
  std::fprintf(stderr, "tiercel: %s\n", e.what());
  return tiercel::machine::kFailed;
}
