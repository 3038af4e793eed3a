// A machine to and from a snapshot.
#pragma once

#include <string>

#include "app/machine/assembly.h"

namespace tiercel::machine {

/// Neither CPUs nor loops run. The machine can go on afterwards.
Result<void> save_machine(Machine& machine, const Options& options, const std::string& path);

/// Instead of powering it on. After an error the machine is good for nothing.
Result<void> restore_machine(Machine& machine, const Options& options);

}  // namespace tiercel::machine
