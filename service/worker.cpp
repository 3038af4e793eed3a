#include "service/worker.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/time.h"
#include "service/descriptors.h"

namespace tiercel::service {
namespace {

/// What a worker keeps from job to job: the compiler, made again when a guest with other surroundings comes.
class Bench {
 public:
  explicit Bench(const MakeCompiler& make_compiler) : make_compiler_(make_compiler) {}

  void work(Job& job) {
    std::vector<u8> bytes;
    if (!job.take(bytes)) return;
    const u64 start = process_cpu_ns();
    Request request;
    std::string why = "the translation service did not understand the request";
    backend::RegionCode code;
    const bool compiled = decode_request(bytes, request) && compile(request, code, why);
    const u64 spent = process_cpu_ns() - start;
    if (!compiled) return job.refuse(why, spent, bytes.size());
    const std::vector<u8> reply = encode_reply(code);
    job.answer(State::Compiled, reply.data(), reply.size(), spent, bytes.size());
  }

 private:
  bool compile(Request& request, backend::RegionCode& code, std::string& why) {
    std::vector<u8> surroundings = encode_request(request.layout, request.features, {}, false);
    if (!compiler_ || surroundings != surroundings_) {
      slots_ = request.slots;
      backend::VmLayout layout = request.layout;
      layout.slots = slots_;
      compiler_ = make_compiler_(layout, request.features);
      surroundings_ = std::move(surroundings);
    }
    return compiler_->compile(request.region, {request.want_listing}, code, why);
  }

  const MakeCompiler& make_compiler_;
  std::unique_ptr<backend::RegionCompiler> compiler_;
  std::vector<ir::SlotInfo> slots_;
  std::vector<u8> surroundings_;
};

[[noreturn]] void be_worker(int channel, pid_t service, const MakeCompiler& make_compiler) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != service) _exit(0);
  // Neither the socket nor its lock outlives the service through us.
  constexpr int kChannel = 3;
  if (channel != kChannel && dup2(channel, kChannel) < 0) _exit(1);
  close_range(kChannel + 1, ~0U, 0);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  Bench bench(make_compiler);
  for (int fd; (fd = receive_descriptor(kChannel)) >= 0;) {
    Job job(fd);
    bench.work(job);
    const char done = 0;
    if (write(kChannel, &done, 1) != 1) break;
  }
  _exit(0);
}

}  // namespace

bool Worker::start(const MakeCompiler& make_compiler) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return false;
  const pid_t service = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    close(ends[0]);
    be_worker(ends[1], service, make_compiler);
  }
  close(ends[1]);
  if (pid_ < 0) {
    const int error = errno;
    close(ends[0]);
    pid_ = 0;
    errno = error;
    return false;
  }
  channel_ = ends[0];
  return true;
}

bool Worker::send(const Job& job) {
  return send_descriptor(channel_, job.descriptor());
}

bool Worker::answered() const {
  char done;
  ssize_t n;
  do n = read(channel_, &done, 1);
  while (n < 0 && errno == EINTR);
  return n == 1;
}

std::string Worker::bury() {
  kill(pid_, SIGKILL);  // of no effect on a dead one
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  close(channel_);
  pid_ = 0, channel_ = -1;
  return WIFSIGNALED(status) ? fmt::format("signal {}, {}", WTERMSIG(status), strsignal(WTERMSIG(status)))
                             : fmt::format("status {}", WEXITSTATUS(status));
}

}  // namespace tiercel::service
