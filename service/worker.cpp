#include "service/worker.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/time.h"
#include "service/descriptors.h"

namespace tiercel::service {
namespace {

int write_compiled(const std::vector<u8>& request, const std::vector<u8>& reply) {
  const int fd = memfd_create("tiercel-compiled", MFD_CLOEXEC);
  const u64 size = request.size();
  const auto write_all = [fd](const void* data, u64 bytes) {
    return write(fd, data, bytes) == static_cast<ssize_t>(bytes);
  };
  if (fd < 0 ||
      (write_all(&size, sizeof size) && write_all(request.data(), size) && write_all(reply.data(), reply.size())))
    return fd;
  close(fd);
  return -1;
}

bool read_compiled(int fd, Worker::Compiled& out) {
  struct stat info;
  u64 size = 0;
  if (pread(fd, &size, sizeof size, 0) != sizeof size || fstat(fd, &info) < 0) return false;
  const u64 rest = static_cast<u64>(info.st_size) - sizeof size;
  if (rest > kSharedBytes || size > rest) return false;
  out.request.resize(size);
  out.reply.resize(rest - size);
  const auto read_all = [fd](std::vector<u8>& to, u64 from) {
    return pread(fd, to.data(), to.size(), static_cast<off_t>(from)) == static_cast<ssize_t>(to.size());
  };
  return read_all(out.request, sizeof size) && read_all(out.reply, sizeof size + size);
}

/// What a worker keeps from job to job: the compiler, made again when a guest with other surroundings comes.
class Bench {
 public:
  Bench(const MakeCompiler& make_compiler, const std::string& keep) : make_compiler_(make_compiler), keep_(keep) {}

  /// The descriptor of a file with request and reply for the service alone (see read_compiled), or -1.
  int work(Job& job) {
    std::vector<u8> bytes;
    if (!job.take(bytes)) return -1;
    if (!keep_.empty()) keep(bytes);
    const u64 start = process_cpu_ns();
    Request request;
    std::string why = "the translation service did not understand the request";
    backend::RegionCode code;
    const bool compiled = decode_request(bytes, request) && compile(request, code, why);
    const u64 spent = process_cpu_ns() - start;
    if (!compiled) {
      job.refuse(why, spent, bytes.size());
      return -1;
    }
    const std::vector<u8> reply = encode_reply(code, fingerprint(bytes));
    job.answer(State::Compiled, reply.data(), reply.size(), spent, bytes.size());
    return write_compiled(bytes, reply);
  }

 private:
  /// One that cannot be written is one that nobody can look at later; the guest does not notice.
  void keep(const std::vector<u8>& bytes) {
    std::ofstream file(fmt::format("{}/{}-{:05}.request", keep_, getpid(), kept_++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

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
  const std::string& keep_;
  u32 kept_ = 0;
  std::unique_ptr<backend::RegionCompiler> compiler_;
  std::vector<ir::SlotInfo> slots_;
  std::vector<u8> surroundings_;
};

[[noreturn]] void be_worker(int channel, pid_t service, const MakeCompiler& make_compiler, const std::string& keep) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != service) _exit(0);
  // Neither the socket nor its lock outlives the service through us.
  constexpr int kChannel = 3;
  if (channel != kChannel && dup2(channel, kChannel) < 0) _exit(1);
  close_range(kChannel + 1, ~0U, 0);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  Bench bench(make_compiler, keep);
  for (int fd; (fd = receive_descriptor(kChannel)) >= 0;) {
    Job job(fd);
    const int compiled = bench.work(job);
    const char done = 0;
    const bool told = compiled < 0 ? write(kChannel, &done, 1) == 1 : send_descriptor(kChannel, compiled);
    if (compiled >= 0) close(compiled);
    if (!told) break;
  }
  _exit(0);
}

}  // namespace

bool Worker::start(const MakeCompiler& make_compiler, const std::string& keep) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return false;
  const pid_t service = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    close(ends[0]);
    be_worker(ends[1], service, make_compiler, keep);
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

bool Worker::answered(Compiled& compiled) const {
  int fd;
  if (!receive_byte(channel_, fd)) return false;
  if (fd < 0) return true;
  if (!read_compiled(fd, compiled)) compiled = {};
  close(fd);
  return true;
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
