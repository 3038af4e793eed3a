// A process of the service that compiles, one region after the other. Whatever a compiler does to itself (an assertion,
// LLVM's fatal errors, no end) is the end of that process only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "service/job.h"

namespace tiercel::service {

using MakeCompiler =
    std::function<std::unique_ptr<backend::RegionCompiler>(const backend::VmLayout&, const backend::HostFeatures&)>;

class Worker {
 public:
  /// False with errno: there can be no process.
  bool start(const MakeCompiler& make_compiler);
  bool running() const { return pid_ > 0; }
  /// Readable when a byte comes back: the worker has answered; or the end: it is dead.
  int channel() const { return channel_; }
  bool send(const Job& job);
  /// The worker has answered. False: it is dead.
  bool answered() const;
  /// Ends it if it still runs. Says what it died of.
  std::string bury();

 private:
  int pid_ = 0;
  int channel_ = -1;
};

}  // namespace tiercel::service
