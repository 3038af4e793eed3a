// qcow2 images, made here byte by byte.
#include "system/host/qcow2.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <fstream>

namespace tiercel::system {
namespace {

constexpr u64 kCluster = 65536;

void put(std::string& image, u64 at, u64 value, unsigned bytes) {
  if (image.size() < at + bytes) image.resize(at + bytes);
  for (unsigned i = 0; i < bytes; ++i) image[at + i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
}

/// An empty disk of 1 MiB: header, reference counts' table and block, L1 table; a cluster each.
std::string empty_image() {
  std::string image(4 * kCluster, 0);
  put(image, 0, 0x514649fb, 4);
  put(image, 4, 3, 4);
  put(image, 20, 16, 4);
  put(image, 24, 1 << 20, 8);
  put(image, 36, 1, 4);
  put(image, 40, 3 * kCluster, 8);
  put(image, 48, kCluster, 8);
  put(image, 56, 1, 4);
  put(image, 96, 4, 4);
  put(image, 100, 112, 4);
  put(image, kCluster, 2 * kCluster, 8);
  for (u64 i = 0; i < 4; ++i) put(image, 2 * kCluster + 2 * i, 1, 2);
  return image;
}

struct Image {
  std::string path = testing::TempDir() + "/tiercel-qcow2-" + std::to_string(getpid());
  std::unique_ptr<BlockStore> disk;
  std::string error;
  explicit Image(const std::string& content, bool read_only = false) {
    std::ofstream(path, std::ios::binary) << content;
    open(read_only);
  }
  ~Image() { unlink(path.c_str()); }
  void open(bool read_only = false) {
    disk.reset();
    Result<std::unique_ptr<BlockStore>> opened = open_disk(path, read_only);
    error = opened ? "" : opened.error().message;
    if (opened) disk = std::move(*opened);
  }
  std::string read(u64 offset, u64 bytes) {
    std::string text(bytes, '?');
    const iovec v{text.data(), text.size()};
    const Result<void> done = disk->read(offset, {&v, 1});
    return done ? text : done.error().message;
  }
  bool write(u64 offset, std::string text) {
    const iovec v{text.data(), text.size()};
    return disk->write(offset, {&v, 1}).has_value();
  }
  u64 file(u64 at, unsigned bytes) {
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(at));
    u64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8 | static_cast<u8>(in.get());
    return value;
  }
};

TEST(Qcow2, KeepsWhatWasWritten) {
  Image image(empty_image());
  ASSERT_TRUE(image.disk) << image.error;
  EXPECT_EQ(image.disk->size(), 1u << 20);
  EXPECT_EQ(image.read(5000, 4), std::string(4, 0));
  EXPECT_TRUE(image.write(kCluster - 3, "across"));
  EXPECT_TRUE(image.write(kCluster - 1, "X"));
  EXPECT_TRUE(image.write((1 << 20) - 4, "end."));
  image.open();
  EXPECT_EQ(image.read(kCluster - 4, 8), std::string("\0acXoss\0", 8));
  EXPECT_EQ(image.read((1 << 20) - 4, 4), "end.");
  // L2 table and three clusters came on top, each counted once.
  for (u64 i = 0; i < 8; ++i) EXPECT_EQ(image.file(2 * kCluster + 2 * i, 2), 1u) << i;
  EXPECT_EQ(image.file(2 * kCluster + 16, 2), 0u);
  EXPECT_EQ(image.file(3 * kCluster, 8) >> 63, 1u);
}

TEST(Qcow2, OpeningChangesNothingButFeaturesThatWritingMayBreak) {
  std::string content = empty_image();
  for (const bool has_features : {true, false}) {
    put(content, 88, has_features ? 3 : 0, 8);
    Image image(content);
    ASSERT_TRUE(image.disk) << image.error;
    const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, image.path.c_str(), old, 0), 0);
    image.open();  // again, as a restored machine does
    struct stat info = {};
    ASSERT_EQ(stat(image.path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mtim.tv_sec, 1000);
    std::string features(8, '?');
    std::ifstream(image.path, std::ios::binary).seekg(88).read(features.data(), 8);
    EXPECT_EQ(features, std::string(8, 0));
  }
}

TEST(Qcow2, TheTableOfReferenceCountsGrows) {
  // Clusters of 512 bytes: one cluster of table reaches 8 MiB.
  std::string content(4 * 512, 0);
  const std::string large = empty_image();
  content.replace(0, 112, large, 0, 112);
  constexpr u64 kDisk = 12 << 20, kL1Entries = kDisk / (64 * 512);
  put(content, 20, 9, 4);
  put(content, 24, kDisk, 8);
  put(content, 36, kL1Entries, 4);
  put(content, 40, 3 * 512, 8);
  put(content, 48, 512, 8);
  put(content, 512, 2 * 512, 8);
  content.resize(3 * 512 + 8 * kL1Entries);
  for (u64 i = 0; i < content.size() / 512 + 1; ++i) put(content, 2 * 512 + 2 * i, 1, 2);
  Image image(content);
  ASSERT_TRUE(image.disk) << image.error;
  std::string text(kDisk, 0);
  for (u64 i = 0; i < kDisk; ++i) text[i] = static_cast<char>(i / 512 * 7 + i);
  ASSERT_TRUE(image.write(0, text));
  image.open();
  EXPECT_TRUE(image.read(0, kDisk) == text);
  EXPECT_EQ(image.file(56, 4), 2u);
  EXPECT_EQ(image.file(2 * 512 + 2, 2), 0u) << "the old table is free";
}

TEST(Qcow2, ZeroesAreKeptAsAMark) {
  Image image(empty_image());
  EXPECT_TRUE(image.write(0, std::string(2 * kCluster, 'x')));
  EXPECT_TRUE(image.disk->zero(100, kCluster, true));
  EXPECT_EQ(image.read(99, 2), std::string("x\0", 2));
  EXPECT_EQ(image.read(kCluster + 99, 2), std::string("\0x", 2));
  EXPECT_TRUE(image.disk->zero(0, kCluster, true));
  EXPECT_EQ(image.read(0, 1), std::string(1, 0));
  EXPECT_TRUE(image.write(7, "y"));
  image.open(true);
  EXPECT_EQ(image.read(6, 3), std::string("\0y\0", 3));
}

TEST(Qcow2, ReadsCompressedClustersAndReplacesThem) {
  const std::string text = std::string(30000, 'c') + std::string(kCluster - 30000, 'd');
  std::string packed(kCluster, 0);
  z_stream s = {};
  deflateInit2(&s, 6, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY);
  s.next_in = reinterpret_cast<u8*>(const_cast<char*>(text.data())), s.avail_in = kCluster;
  s.next_out = reinterpret_cast<u8*>(packed.data()), s.avail_out = kCluster;
  deflate(&s, Z_FINISH);
  deflateEnd(&s);
  std::string content = empty_image();
  put(content, 3 * kCluster, 4 * kCluster | u64{1} << 63, 8);
  content.resize(6 * kCluster);
  put(content, 4 * kCluster, u64{1} << 62 | (5 * kCluster + 100), 8);
  std::memcpy(&content[5 * kCluster + 100], packed.data(), 400);
  Image image(content);
  EXPECT_EQ(image.read(29999, 2), "cd");
  EXPECT_TRUE(image.write(10, "new"));
  image.open();
  EXPECT_EQ(image.read(9, 5), "cnewc");
  EXPECT_EQ(image.read(29999, 2), "cd");
}

TEST(Qcow2, RefusesWhatItDoesNotKnow) {
  const auto says = [](u64 at, u64 value, unsigned bytes, const char* what) {
    std::string content = empty_image();
    put(content, at, value, bytes);
    const Image image(content);
    EXPECT_FALSE(image.disk);
    EXPECT_NE(image.error.find(what), std::string::npos) << "'" << image.error << "' lacks '" << what << "'";
  };
  says(4, 4, 4, "version 4");
  says(8, 4096, 8, "backing file");
  says(20, 40, 4, "clusters");
  says(24, u64{1} << 40, 8, "L1 table");
  says(32, 1, 4, "encrypted");
  says(36, ~u32{0}, 4, "L1 table");
  says(40, 100, 8, "corrupt");
  says(40, 100 * kCluster, 8, "corrupt");
  says(48, 0, 8, "corrupt");
  says(60, 1, 4, "snapshots");
  says(72, 1, 8, "not closed properly");
  says(72, 16, 8, "features 0x10");
  std::string content = empty_image();
  put(content, 60, 1, 4);
  EXPECT_TRUE(Image(content, true).disk) << "reading is possible";
}

TEST(Qcow2, CorruptTablesAreErrors) {
  std::string content = empty_image();
  put(content, 3 * kCluster, 9 * kCluster, 8);
  {
    Image image(content);
    EXPECT_NE(image.read(0, 4).find("corrupt qcow2 image: L2 table at 0x90000"), std::string::npos) << image.read(0, 4);
    EXPECT_FALSE(image.write(0, "x"));
  }
  put(content, 3 * kCluster, 4 * kCluster, 8);
  put(content, 4 * kCluster, 512, 8);
  content.resize(5 * kCluster);
  Image image(content);
  EXPECT_NE(image.read(0, 4).find("cluster at 0x200"), std::string::npos);
  EXPECT_FALSE(image.write(0, "x"));
}

}  // namespace
}  // namespace tiercel::system
