#include "app/run_command.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/dump_options.h"
#include "app/size.h"
#include "app/tier_option.h"
#include "frontend-arm/a64_frontend.h"
#include "user/process.h"

extern char** environ;

namespace tiercel::app {

namespace {

constexpr int kBadUsage = 125;
constexpr const char* kVersion = "tiercel " TIERCEL_VERSION;

constexpr const char* kExamples = R"(Examples:
  tiercel run ./hello-arm64 one two                  a static program
  tiercel run --root ~/arm64 /bin/bash               a program with the libraries of an arm64 system in ~/arm64
  tiercel run --root ~/arm64 -E LANG=C -U DISPLAY python3 script.py
  tiercel run --strace ./prog 2>trace                what it asks of the system
  tiercel run --tier=interp --stats ./prog           slow and plain, with counters at the end
  tiercel explain ./prog                             where did its time go, and why?

The exit status is the program's. If the program dies of a signal, so does tiercel. 125: tiercel itself failed or was
called wrongly; 126: the program cannot be executed; 127: the program, its loader or its interpreter was not found.
TIERCEL_ROOT in the environment is the default for --root.)";

int run(const user::RunOptions& options) {
  const auto frontend = arm::make_a64_frontend();
  user::Process process(options, *frontend);
  return process.run();
}

/// Options as text, before they mean something.
struct Raw {
  std::vector<std::string> set, unset, dump, only;
  std::string argv0, tier, lockstep, stack, code_cache;
  bool has_argv0 = false;
};

/// Regions come when they come; whoever looks for a bug wants the same code again.
bool must_repeat(const Raw& raw, const engine::Options& e) {
  const engine::Options defaults;
  return !raw.lockstep.empty() || e.tier_limit != defaults.tier_limit || e.pass_limit != defaults.pass_limit ||
         e.chaos_seed != 0;
}

/// Fills `options` from `raw`; the error message, or empty.
std::string interpret(const Raw& raw, user::RunOptions& options) {
  if (std::string error = choose_tier(raw.tier, must_repeat(raw, options.engine), options.engine); !error.empty())
    return error;
  options.tier_named = !raw.tier.empty();
  if (options.engine.hot == 0 || options.engine.hot > (1 << 24)) return "--hot: not a number from 1 to 16777216";
  if (options.stats_json && !options.stats) return "--json: goes with --stats";
  if (!raw.lockstep.empty()) {
    if (raw.lockstep != "interp,fast") return "--lockstep: only interp,fast can be compared";
    options.engine.lockstep = true;
  }
  if (!raw.stack.empty() && (!parse_size(raw.stack, options.stack_bytes) || options.stack_bytes < (64 << 10) ||
                             options.stack_bytes > (u64{64} << 30)))
    return "--stack-size: '" + raw.stack + "' is not a size from 64K to 64G";
  if (!parse_code_cache(raw.code_cache, 64 << 10, options.engine.code_cache_bytes))
    return "--code-cache: '" + raw.code_cache + "' is not a size from 64K to 1G";
  if (std::string error = parse_dump(raw.dump, raw.only, options.engine.dump); !error.empty()) return error;
  for (const std::string& name : raw.unset)
    std::erase_if(options.environment, [&](const std::string& e) { return e.rfind(name + "=", 0) == 0; });
  for (const std::string& entry : raw.set) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) return "-E: '" + entry + "' is not NAME=VALUE";
    const std::string prefix = entry.substr(0, equals + 1);
    std::erase_if(options.environment, [&](const std::string& e) { return e.rfind(prefix, 0) == 0; });
    options.environment.push_back(entry);
  }
  if (!options.root.empty()) {
    struct stat info;
    if (stat(options.root.c_str(), &info) < 0) return "--root: " + options.root + ": " + std::strerror(errno);
    if (!S_ISDIR(info.st_mode)) return "--root: " + options.root + ": not a directory";
  }
  if (raw.has_argv0 && !options.arguments.empty()) options.arguments[0] = raw.argv0;
  return {};
}

void describe_options(CLI::App& run, Raw& raw, user::RunOptions& options) {
  engine::Options& e = options.engine;
  run.add_option("--root", options.root,
                 "directory of a guest system: loader, libraries and absolute paths come from it")
      ->envname("TIERCEL_ROOT");
  run.add_flag("--root-strict", options.root_strict,
               "never fall back on the host's own files (except /proc, /sys, /dev)");
  run.add_option("-E,--set-env", raw.set, "set NAME=VALUE in the program's environment")->allow_extra_args(false);
  run.add_option("-U,--unset-env", raw.unset, "remove NAME from the program's environment")->allow_extra_args(false);
  run.add_option("--argv0", raw.argv0, "what the program sees as its own name");
  run.add_option("--stack-size", raw.stack, "size of the first stack, e.g. 16M (default: what ulimit -s says)");
  run.add_option(
      "--tier", raw.tier,
      "auto (translates fast, and hot loops through LLVM in another process), fast, llvm (auto that waits for each\n"
      "loop; repeats exactly), interp (plain interpreter) (default: auto; fast with --lockstep, --tier-limit,\n"
      "--pass-limit and --chaos)");
  run.add_option("--hot", e.hot,
                 "a loop is hot when it ran so often (default 16384); with --tier=llvm, 1: every block");
  run.add_option("--gdb", options.gdb,
                 "wait for GDB at tcp:PORT, tcp:ADDRESS:PORT or unix:PATH before the program's first insn");
  run.add_flag("--strace", options.strace, "write the program's system calls to standard error");
  run.add_flag("--stats", options.stats, "write counters to standard error at the end");
  run.add_flag("--json", options.stats_json, "with --stats: as one line of JSON");
  run.add_flag("--perf", e.perf_map, "write /tmp/perf-PID.map for perf");
  run.add_option("--dump", raw.dump, "stages to print while translating: guest,ir,opt,host,llvm")
      ->delimiter(',')
      ->allow_extra_args(false);
  run.add_option("--only", raw.only, "with --dump: only blocks at these addresses, pc:0x4000,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  run.add_option("--lockstep", raw.lockstep, "interp,fast: run every block in both tiers and compare");
  run.add_option("--tier-limit", e.tier_limit, "only the first N translated blocks use the fast tier");
  run.add_option("--pass-limit", e.pass_limit, "only the first N pass applications happen");
  run.add_option("--chaos", e.chaos_seed,
                 "seed: random block lengths, registers, tiers, thresholds, regions and losses of code");
  run.add_option("--host-level", e.host_level, "2, 3 or 4: use no more of the host than x86-64-v2, v3 or v4 has")
      ->check(CLI::Range(2, 4));
  run.add_option("--code-cache", raw.code_cache, "size of the code cache, e.g. 64K or 256M");
  run.prefix_command();
  run.footer(kExamples);
}

}  // namespace

int run_from_command_line(int argc, char** argv) try {
  CLI::App app{"Runs AArch64 Linux programs on x86-64 Linux.", "tiercel"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer("Try: tiercel run --help");
  // Only for --help: main() hands it to bench/run, which reads its own options.
  app.add_subcommand("bench", "compare the tiers with native runs and with QEMU; see tiercel bench --help");
  CLI::App* run_it =
      app.add_subcommand("run", "run one Linux program and its children: tiercel run [options] PROGRAM [ARGS...]");
  CLI::App* explain = app.add_subcommand(
      "explain",
      "run a program and say in plain words where its time went: tiercel explain [options] PROGRAM [ARGS...]");
  Raw raw;
  user::RunOptions options;
  for (CLI::App* command : {run_it, explain}) describe_options(*command, raw, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {
      const int status = app.exit(e);
      return std::fflush(stdout) == 0 ? status : kBadUsage;
    }
    if (argc > 1 && argv[1][0] != '-' && !run_it->parsed() && !explain->parsed())
      std::fprintf(stderr, "tiercel: unknown command '%s'; to run a program: tiercel run PROGRAM\n", argv[1]);
    else
      std::fprintf(stderr, "tiercel: %s; see tiercel run --help\n", e.what());
    return kBadUsage;
  }
  const CLI::App* command = explain->parsed() ? explain : run_it;
  options.explain = command == explain;
  if (options.explain && options.stats_json) {
    std::fputs("tiercel: --json goes with tiercel run --stats\n", stderr);
    return kBadUsage;
  }
  options.stats = options.stats || options.explain;
  raw.has_argv0 = command->count("--argv0") != 0;
  options.arguments = command->remaining();
  if (!options.arguments.empty() && options.arguments[0] == "--")
    options.arguments.erase(options.arguments.begin());
  else if (!options.arguments.empty() && options.arguments[0].rfind('-', 0) == 0) {
    std::fprintf(stderr, "tiercel: unknown option %s; see tiercel run --help\n", options.arguments[0].c_str());
    return kBadUsage;
  }
  if (options.arguments.empty()) {
    std::fputs("tiercel: which program? see tiercel run --help\n", stderr);
    return kBadUsage;
  }
  options.program = options.arguments[0];
  options.engine.stats = options.stats;
  for (char** e = environ; *e; ++e) options.environment.emplace_back(*e);
  if (const std::string error = interpret(raw, options); !error.empty()) {
    std::fprintf(stderr, "tiercel: %s\n", error.c_str());
    return kBadUsage;
  }
  return run(options);
} catch (const std::exception& e) {
  std::fprintf(stderr, "tiercel: %s\n", e.what());
  return kBadUsage;
}

int run_executed(int argc, char** argv) {
  user::RunOptions options;
  if (!options.unpack(argv[2])) {
    std::fputs("tiercel: --exec is for tiercel itself; use tiercel run\n", stderr);
    return kBadUsage;
  }
  options.program = argv[3];
  options.search_path = false;
  options.arguments.assign(argv + 4, argv + argc);
  for (char** e = environ; *e; ++e) options.environment.emplace_back(*e);
  return run(options);
}

}  // namespace tiercel::app
