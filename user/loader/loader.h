// From a path to a process image: finds out what to run, maps it, and builds the first stack.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "user/loader/elf.h"
#include "user/memory/guest_memory.h"
#include "user/paths.h"
#include "user/run_options.h"

namespace tiercel::user {

/// What executing a path means, after `#!` lines are followed.
struct ExecPlan {
  FileKind kind = FileKind::Unknown;  // Elf or HostElf
  std::string guest_path;             // of the ELF file, as the guest names it
  std::string host_path;
  std::string exec_name;            // AT_EXECFN: what execve was called with
  std::vector<std::string> prefix;  // arguments that replace argv[0]; empty: no script was involved
};

/// Follows scripts and checks that the program (and its loader) can be run. Errors carry execve's errno.
Result<ExecPlan> plan_exec(const Paths& paths, int dirfd, const std::string& path);

/// What the running program looks like from outside, for /proc and signals.
struct LoadedProgram {
  std::string guest_path, host_path;
  u64 entry = 0;  // where the guest starts: the loader's entry if there is one
  u64 stack_pointer = 0;
  u64 arguments_begin = 0, arguments_end = 0;      // argv strings
  u64 environment_begin = 0, environment_end = 0;  // envp strings
  u64 stack_begin = 0, stack_end = 0;
  u64 signal_return = 0;       // address of the rt_sigreturn trampoline
  std::vector<u64> auxiliary;  // pairs
};

Result<LoadedProgram> load_program(const ExecPlan& plan, const RunOptions& options, const Paths& paths,
                                   GuestMemory& memory);

}  // namespace tiercel::user
