// Running an assembled machine.
#pragma once

#include "app/machine/assembly.h"

namespace tiercel::machine {

/// Makes the signals that end a run wait for it. Before the first thread.
void block_signals();

/// Until the guest switches the machine off or the user ends it. An error's code is the exit status. A signal that ends
/// it ends the process.
Result<void> run(Machine& machine, const Options& options);

}  // namespace tiercel::machine
