// Where the translation service of this user listens, and starting it.
#pragma once

#include <string>

#include "base/result.h"

namespace tiercel::service {

/// The directory of the socket: $XDG_RUNTIME_DIR/tiercel, else /tmp/tiercel-UID. Created when missing; an error when it
/// is not a directory of ours that nobody else can enter. TIERCEL_SERVICE_DIR overrides it.
Result<std::string> socket_directory();
/// The socket's path inside `directory`; each build of `compiler` has one of its own.
std::string socket_path(const std::string& directory, const std::string& compiler);

/// A connected socket, or -1 with errno; EPERM: somebody else's. `pid`: the service's, or 0.
int connect_to(const std::string& path, int& pid);

/// Starts `compiler` as a daemon that is no child of this process: it inherits no descriptor, signal mask or
/// disposition. False: could not even be forked; whether it runs shows when it can be connected to.
bool start_daemon(const std::string& compiler, const std::string& directory);

/// The path of tiercel-compiler: next to this program.
std::string compiler_path();

}  // namespace tiercel::service
