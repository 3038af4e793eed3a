#include "app/bench_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/own_path.h"

namespace tiercel::app {
namespace {

constexpr int kCannotStart = 125;
namespace fs = std::filesystem;

/// The driver as installed, or in the source tree whose build/PRESET/app holds this program; empty: neither.
fs::path find_driver(const fs::path& program) {
  const fs::path directory = program.parent_path();
  for (const char* place : {"../share/tiercel/bench/run", "../../../bench/run"}) {
    std::error_code error;
    const fs::path driver = fs::weakly_canonical(directory / place, error);
    if (!error && access(driver.c_str(), X_OK) == 0) return driver;
  }
  return {};
}

}  // namespace

int run_bench(int argc, char** argv) {
  const fs::path program = own_path();
  const fs::path driver = find_driver(program);
  if (driver.empty()) {
    std::fprintf(stderr,
                 "tiercel: bench: its driver is neither at %s/../share/tiercel/bench/run nor in a source tree\n",
                 program.parent_path().c_str());
    return kCannotStart;
  }
  std::vector<std::string> words = {driver, "--tiercel", program, "--build", program.parent_path().parent_path()};
  words.insert(words.end(), argv + 2, argv + argc);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  setenv("TIERCEL_BENCH_NAME", "tiercel bench", 1);
  execv(driver.c_str(), arguments.data());
  std::fprintf(stderr, "tiercel: bench: %s: %s; it needs python3\n", driver.c_str(), std::strerror(errno));
  return kCannotStart;
}

}  // namespace tiercel::app
