// Any sequence of 9P messages: no crash, and nothing outside the shared folder changes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"
#include "system/host/p9/server.h"

namespace {

using namespace tiercel;
using namespace tiercel::system;

namespace fs = std::filesystem;

/// A folder with a few files, in a folder that must keep its content. Removed when the program ends.
struct Share {
  fs::path outside = fs::temp_directory_path() / ("tiercel-fuzz-p9-" + std::to_string(getpid()));
  std::unique_ptr<p9::Server> server;
  void make() {
    fs::remove_all(outside);
    fs::create_directories(outside / "in/a");
    std::ofstream(outside / "b") << "outside";
    std::ofstream(outside / "in/b") << "text";
    fs::create_symlink("..", outside / "in/c");
    fs::create_symlink("../b", outside / "in/d");
    server = std::move(*p9::Server::create(outside / "in", false));
  }
  ~Share() { fs::remove_all(outside); }
  void check() const {
    CHECK(fs::file_size(outside / "b") == 7);
    CHECK(std::distance(fs::directory_iterator(outside), fs::directory_iterator{}) == 2);
  }
};

/// Each message of the input: type, then body length, then body. Version and attach come first.
void run(p9::Server& server, const u8* data, std::size_t size) {
  const u8 version[] = {21, 0, 0, 0, 100, 0, 0, 0, 0, 1, 0, 8, 0, '9', 'P', '2', '0', '0', '0', '.', 'L'};
  server.handle(version, 1 << 16);
  const u8 attach[] = {19, 0, 0, 0, 104, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  server.handle(attach, 1 << 16);
  while (size >= 2) {
    const u8 type = data[0];
    const std::size_t body = std::min<std::size_t>(data[1], size - 2);
    std::vector<u8> message(7 + body);
    message[4] = type;
    std::memcpy(message.data() + 7, data + 2, body);
    const u64 room = type % 5 == 0 ? 30 : 1 << 16;
    CHECK(server.handle(message, room).size() <= room);
    data += 2 + body, size -= 2 + body;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  static Share share;
  share.make();
  // A file as large as an offset says fills no disk, but a sequence of writes might.
  run(*share.server, data, std::min<std::size_t>(size, 2000));
  share.check();
  return 0;
}
