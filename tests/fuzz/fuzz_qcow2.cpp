// Any bytes as a disk image: opening it gives a disk or an error, and so does each read and write.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/check.h"
#include "system/host/qcow2.h"

namespace {

using namespace tiercel;
using namespace tiercel::system;

void use(BlockStore& disk) {
  std::array<u8, 5000> bytes = {};
  const iovec piece{bytes.data(), bytes.size()};
  const u64 size = disk.size();
  if (size < bytes.size()) return;
  for (const u64 at : {u64{0}, u64{1000}, size / 2, size - bytes.size()}) {
    static_cast<void>(disk.read(at, {&piece, 1}));
    if (disk.read_only()) continue;
    static_cast<void>(disk.write(at, {&piece, 1}));
    static_cast<void>(disk.zero(at, bytes.size(), true));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  const int fd = memfd_create("image", MFD_CLOEXEC);
  CHECK(fd >= 0 && write(fd, data, size) == static_cast<ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  for (const bool read_only : {true, false})
    if (Result<HostFile> file = HostFile::open(path, read_only); file && Qcow2::recognises(*file))
      if (Result<std::unique_ptr<BlockStore>> disk = Qcow2::open(std::move(*file)); disk) use(**disk);
  close(fd);
  return 0;
}
