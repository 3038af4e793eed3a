// tiercel boot: a whole machine.
#pragma once

namespace tiercel::app {

/// Becomes tiercel-machine, which lies next to this program: the machine's network needs a shared library, and this
/// program has none. Returns the status if that fails.
int run_boot(char** argv);

}  // namespace tiercel::app
