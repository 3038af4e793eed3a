// Running an assembled machine.
#pragma once

#include "app/machine/assembly.h"

namespace tiercel::machine {

/// Until the guest switches the machine off or the user ends it. An error's code is the exit status.
Result<void> run(Machine& machine, const Options& options);

}  // namespace tiercel::machine
