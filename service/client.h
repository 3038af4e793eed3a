// The guest process's side of the translation service. It keeps no descriptor and no thread: one piece of shared memory
// per request in flight, looked at when the engine asks.
#pragma once

#include <functional>
#include <memory>

#include "engine/region_service.h"

namespace tiercel::service {

struct ClientOptions {
  backend::VmLayout layout;
  backend::HostFeatures features;
  std::string compiler;  // path of tiercel-compiler
  /// Receives at most one message, about why there is no service.
  std::function<void(const std::string& message)> warn = nullptr;
};

std::unique_ptr<engine::RegionService> make_client(const ClientOptions& options);

}  // namespace tiercel::service
