// The protocol has signal numbers of its own.
#pragma once

namespace tiercel::debug::gdb {

/// For a signal of Linux.
int signal_to_gdb(int linux_number);
/// 0: Linux has no such signal.
int signal_from_gdb(int number);

}  // namespace tiercel::debug::gdb
