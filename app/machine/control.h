// --control: a socket at which one program at a time rules the machine.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/machine/qmp.h"
#include "base/result.h"
#include "debug/listener.h"

namespace tiercel::machine {

class ControlSocket {
 public:
  /// Serves at `where` (debug::Listener) on a thread of its own, on which `controls` are used.
  static Result<std::unique_ptr<ControlSocket>> open(const std::string& where, Controls& controls);
  ~ControlSocket();

  /// Tells whoever listens. Any thread, also from within a control.
  void event(const char* name, const nlohmann::json& data = nullptr);

 private:
  ControlSocket(debug::Listener listener, Controls& controls)
      : listener_(std::move(listener)), controls_(controls), thread_([this] { run(); }) {}
  void run();
  void serve(int fd);

  debug::Listener listener_;
  Controls& controls_;
  std::mutex mutex_;  // guards the following, and that lines are sent whole
  int socket_ = -1;
  Qmp* qmp_ = nullptr;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tiercel::machine
