// `tiercel bench`: the benchmarks as a user's command.
#pragma once

namespace tiercel::app {

/// Becomes the benchmark driver (bench/run, a Python program) with the arguments after `bench`; returns an exit status
/// only when it cannot.
int run_bench(int argc, char** argv);

}  // namespace tiercel::app
