// Our tiers as runners.
#pragma once

#include <memory>

#include "tests/diff/state.h"

namespace tiercel::test {

/// Frontend and interpreter; with the fast tier's passes in between, or without.
std::unique_ptr<Runner> make_interp_runner(bool passes);
/// The interpreter without passes; run() executes one insn.
std::unique_ptr<Runner> make_stepper();

/// The fast tier through the engine, as it is used. `loops`, here and below: for programs, which are interrupted all
/// the time.
std::vector<std::unique_ptr<Runner>> make_fast_runners(bool loops = false, u32 host_level = 4);
/// The optimising tier through the engine, with every block compiled; in blocks as they are, and in random ones, some
/// of which make a region together. Programs run also with surveys of what is hot, as it is used.
std::vector<std::unique_ptr<Runner>> make_llvm_runners(bool loops, u32 host_level);

/// IR of the block at `pc` before and after the passes, as text.
std::string describe_block(u64 pc, u32 fpcr);

}  // namespace tiercel::test
