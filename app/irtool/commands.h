// The verbs of tiercel-irtool. Each returns the process's exit status.
#pragma once

#include <string>
#include <vector>

#include "base/types.h"

namespace tiercel::irtool {

/// Counts the rows of the A64 table by feature and lists those that are not translated yet.
int isa_coverage();

/// The opcode reference as Markdown, from opcodes.def.
int opcode_reference();

/// Reads a block, runs the passes in order, prints it. "fast" stands for the fast tier's list.
int optimise(const std::string& path, const std::string& passes);

/// Reads a block and interprets it once; `assignments` are "x1=3". Prints the slots that changed and where control
/// went. There is no guest memory: every access faults.
int run(const std::string& path, const std::vector<std::string>& assignments);

/// Translates guest words placed at `pc`: their text, the IR, the IR after the fast tier's passes, the host code.
int decode(const std::vector<std::string>& words, u64 pc, u32 mode);

}  // namespace tiercel::irtool
