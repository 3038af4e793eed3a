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
  /// False with errno: there can be no process. `keep`: a directory in which each request is left as a file, or empty.
  bool start(const MakeCompiler& make_compiler, const std::string& keep);
  bool running() const { return pid_ > 0; }
  /// Readable when a byte comes back: the worker has answered; or the end: it is dead.
  int channel() const { return channel_; }
  bool send(const Job& job);
  /// What a worker compiled, as it saw it: the memory of a job is the guest's too, and may not be what it was.
  struct Compiled {
    std::vector<u8> request, reply;
  };
  /// The worker has answered; `compiled` stays empty if it refused. False: it is dead.
  bool answered(Compiled& compiled) const;
  /// Ends it if it still runs. Says what it died of.
  std::string bury();

 private:
  int pid_ = 0;
  int channel_ = -1;
};

}  // namespace tiercel::service
