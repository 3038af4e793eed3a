// `tiercel run` and its short form for programs that a guest executes.
#pragma once

namespace tiercel::app {

/// Parses the command line. Returns the exit status if the program could not be started.
int run_from_command_line(int argc, char** argv);

/// argv: tiercel --exec OPTIONS PROGRAM [ARGV...], see user::RunOptions::pack.
int run_executed(int argc, char** argv);

}  // namespace tiercel::app
