// `tiercel boot`: a whole machine.
#pragma once

namespace tiercel::app {

/// Parses the command line and runs the machine until the guest switches it off (0) or it fails.
int run_boot(int argc, char** argv);

}  // namespace tiercel::app
