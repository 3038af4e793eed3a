// The shared folder.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "system/devices/virtio/virtio_9p.h"
#include "tests/system/p9_client.h"
#include "tests/system/virtio_driver.h"

namespace tiercel::system::p9 {
namespace {

namespace fs = std::filesystem;

struct Share {
  fs::path outside = fs::path(testing::TempDir()) / ("tiercel-9p-" + std::to_string(getpid()));
  fs::path folder = outside / "shared";
  std::unique_ptr<Server> server;
  explicit Share(bool read_only = false) {
    fs::remove_all(outside);
    fs::create_directories(folder / "sub");
    std::ofstream(outside / "secret") << "secret";
    std::ofstream(folder / "hello") << "hello, world";
    fs::create_symlink("../secret", folder / "link");
    fs::create_symlink("..", folder / "up");
    server = std::move(*Server::create(folder, read_only));
  }
  ~Share() { fs::remove_all(outside); }
  Client client() {
    Client c{*server, {}};
    EXPECT_EQ(c.version(), 0u);
    EXPECT_EQ(c.attach(0), 0u);
    return c;
  }
};

TEST(P9, ReadsWritesAndCreates) {
  Share share;
  Client c = share.client();
  EXPECT_EQ(c.walk(0, 1, {"hello"}), 0u);
  EXPECT_EQ(c.open(1, O_RDONLY), 0u);
  EXPECT_EQ(c.read(1, 7, 100), "world");
  EXPECT_EQ(c.read(1, 100, 100), "");
  EXPECT_EQ(c.write(1, 0, "x"), u32{EBADF}) << "opened for reading";
  EXPECT_EQ(c.clunk(1), 0u);
  EXPECT_EQ(c.walk(0, 2, {"sub"}), 0u);
  EXPECT_EQ(c.create(2, "new", O_RDWR, 0640), 0u);
  EXPECT_EQ(c.write(2, 3, "data"), 0u);
  EXPECT_EQ(c.read(2, 0, 100), std::string("\0\0\0data", 7));
  EXPECT_EQ(fs::file_size(share.folder / "sub/new"), 7u);
  EXPECT_EQ(c.named(72, 0, "made"), 0u);
  EXPECT_TRUE(fs::is_directory(share.folder / "made"));
  EXPECT_EQ(c.named(76, 0, "hello"), 0u);
  EXPECT_FALSE(fs::exists(share.folder / "hello"));
}

TEST(P9, ListsAFolderInPieces) {
  Share share;
  for (int i = 0; i < 100; ++i) std::ofstream(share.folder / ("file" + std::to_string(i)));
  Client c = share.client();
  EXPECT_EQ(c.walk(0, 1, {}), 0u);
  EXPECT_EQ(c.open(1, O_RDONLY), 0u);
  std::size_t names = 0;
  u64 offset = 0;
  for (std::string piece; !(piece = c.read(1, offset, 300, 40)).empty();) {
    Reader r({reinterpret_cast<const u8*>(piece.data()), piece.size()});
    while (true) {
      r.data(13);
      const u64 next = r.number<u64>();
      r.number<u8>();
      const std::string name = r.text();
      if (!r.good()) break;
      offset = next;
      ++names;
    }
  }
  EXPECT_EQ(names, 100u + 6) << "hello, link, up, sub, . and ..";
}

TEST(P9, TheClientStaysInTheFolder) {
  Share share;
  Client c = share.client();
  EXPECT_EQ(c.walk(0, 1, {".."}), u32{EACCES});
  EXPECT_EQ(c.walk(0, 1, {"sub/../.."}), u32{EACCES});
  EXPECT_EQ(c.walk(0, 1, {"link"}), 0u);
  EXPECT_EQ(c.open(1, O_RDONLY), u32{EACCES}) << "links are the guest's to follow";
  EXPECT_EQ(c.walk(0, 2, {"up", "secret"}), 0u) << "part of the way";
  EXPECT_EQ(Reader(c.answer).number<u16>(), 1);
  EXPECT_EQ(c.clunk(2), u32{EBADF});
  EXPECT_EQ(c.create(0, "link", O_WRONLY, 0600), u32{ELOOP});
  EXPECT_EQ(c.named(16, 0, "../made", "x"), u32{EINVAL});
  EXPECT_EQ(c.named(76, 0, ".."), u32{EINVAL});
  EXPECT_EQ(c.named(16, 0, "new-link", "/anywhere"), 0u);
  EXPECT_TRUE(fs::exists(share.outside / "secret"));
}

TEST(P9, ReadOnlySharesStayAsTheyAre) {
  Share share(true);
  Client c = share.client();
  EXPECT_EQ(c.walk(0, 1, {"hello"}), 0u);
  EXPECT_EQ(c.open(1, O_RDWR), u32{EROFS});
  EXPECT_EQ(c.open(1, O_RDONLY | O_TRUNC), u32{EROFS});
  EXPECT_EQ(c.named(72, 0, "made"), u32{EROFS});
  EXPECT_EQ(c.open(1, O_RDONLY), 0u);
}

TEST(P9, BrokenMessagesAreErrors) {
  Share share;
  Client c = share.client();
  EXPECT_EQ(c.call(110, {}), u32{EINVAL});
  EXPECT_EQ(c.call(200, {}), u32{EOPNOTSUPP});
  EXPECT_EQ(c.walk(7, 8, {}), u32{EBADF});
  EXPECT_EQ(c.attach(0), u32{EBADF}) << "the fid is taken";
  EXPECT_EQ(c.server.handle(std::vector<u8>(3), 100).size(), 0u);
  EXPECT_EQ(c.server.handle(std::vector<u8>(30), 3).size(), 0u);
  Writer w;
  w.number(u32{0});
  w.number(u64{0});
  w.number(u32{1000});
  EXPECT_EQ(c.call(118, w), u32{EBADF}) << "more data than there is";
  EXPECT_EQ(c.call(24, w, 20), u32{EMSGSIZE}) << "no room for the attributes";
  EXPECT_FALSE(Server::create("/dev/null/nothing", false));
}

TEST(P9, OverVirtio) {
  Share share;
  VirtioWorld world;
  Virtio9p device(world.environment(), *share.server, "src");
  VirtioDriver driver(world, device);
  driver.start();
  EXPECT_EQ(driver.get(0x100), 0x72730003u) << "the tag's length and its first letters";
  std::string version = std::string("\x15\0\0\0\x64\xff\xff\0\0\1\0\x08\0", 13) + "9P2000.L";
  EXPECT_EQ(driver.request(0, version, 100), 21u);
  EXPECT_EQ(driver.answer(0, 5)[4], 101);
}

}  // namespace
}  // namespace tiercel::system::p9
