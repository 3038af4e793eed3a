// What the service keeps, and what its readers make of memory that is not what it should be.
#include "service/region_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "service/messages.h"

namespace tiercel::service {
namespace {

constexpr u64 kLog = 1 << 16;

std::vector<u8> request_of(int i, std::size_t size = 500) {
  std::vector<u8> bytes(size, 'q');
  std::memcpy(bytes.data(), &i, sizeof i);
  return bytes;
}
std::vector<u8> reply_of(int i) {
  return std::vector<u8>(2600, static_cast<u8>(i));
}
std::vector<u8> found(const KeptRegions& kept, const std::vector<u8>& request) {
  return kept.find(request, fingerprint(request));
}

TEST(RegionCache, ForgetsTheOldest) {
  RegionCache cache(kLog);
  const KeptRegions reader(cache.descriptor());
  ASSERT_TRUE(reader);
  constexpr int kFit = 18;
  int lost = 0;  // some may be pushed out of the index before their time
  for (int i = 0; i < 1000; ++i) {
    cache.add(request_of(i), reply_of(i));
    ASSERT_EQ(found(reader, request_of(i)), reply_of(i)) << i;
    if (i >= kFit && found(reader, request_of(i - kFit)) != reply_of(i - kFit)) ++lost;
    ASSERT_TRUE(found(reader, request_of(i - kFit - 5)).empty()) << i;
    ASSERT_EQ(cache.find(request_of(i - 1)), i > 0 ? reply_of(i - 1) : std::vector<u8>());
  }
  EXPECT_LE(lost, 10);
}

TEST(RegionCache, FindsOnlyTheSameRequest) {
  RegionCache cache(kLog);
  cache.add(request_of(1), reply_of(1));
  const KeptRegions reader(cache.descriptor());
  const u64 print = fingerprint(request_of(1));
  EXPECT_EQ(reader.find(request_of(1), print), reply_of(1));
  EXPECT_TRUE(reader.find(request_of(2), print).empty());
  EXPECT_TRUE(reader.find(request_of(1, 499), print).empty());
  cache.add(request_of(1), reply_of(9));
  EXPECT_EQ(found(reader, request_of(1)), reply_of(1)) << "the first answer stays";
}

TEST(RegionCache, OneLargeRegionDoesNotPushOutAllOthers) {
  RegionCache cache(kLog);
  cache.add(request_of(1), reply_of(1));
  cache.add(request_of(2, kLog / 8), reply_of(2));
  EXPECT_TRUE(cache.find(request_of(2, kLog / 8)).empty());
  EXPECT_EQ(cache.find(request_of(1)), reply_of(1));
}

TEST(RegionCache, OnlyTheServiceWrites) {
  RegionCache cache(kLog);
  const int fd = cache.descriptor();
  struct stat info;
  ASSERT_EQ(fstat(fd, &info), 0);
  const auto size = static_cast<std::size_t>(info.st_size);
  EXPECT_EQ(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_LT(pwrite(fd, "x", 1, 0), 0);
  EXPECT_LT(ftruncate(fd, 0), 0);
  EXPECT_LT(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
  // Nor does a process that it has forked.
  cache.add(request_of(1), reply_of(1));
  const pid_t child = fork();
  if (child == 0) {
    cache.add(request_of(2), reply_of(2));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_NE(status, 0);
  EXPECT_TRUE(cache.find(request_of(2)).empty());
}

/// A copy of what is kept that anybody may write.
int forged(const RegionCache& cache, int seals) {
  struct stat info;
  fstat(cache.descriptor(), &info);
  std::vector<u8> all(static_cast<std::size_t>(info.st_size));
  EXPECT_EQ(pread(cache.descriptor(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  const int fd = memfd_create("forged", MFD_ALLOW_SEALING);
  EXPECT_EQ(write(fd, all.data(), all.size()), static_cast<ssize_t>(all.size()));
  fcntl(fd, F_ADD_SEALS, seals);
  return fd;
}

/// A file can shrink: it has no seals.
Descriptor copied_to_file(const RegionCache& cache) {
  char name[] = "/var/tmp/region-cache-test-XXXXXX";
  Descriptor file(mkstemp(name));
  EXPECT_TRUE(file);
  unlink(name);
  struct stat info;
  fstat(cache.descriptor(), &info);
  off_t from = 0;
  EXPECT_EQ(sendfile(file.get(), cache.descriptor(), &from, static_cast<std::size_t>(info.st_size)), info.st_size);
  return file;
}

TEST(RegionCache, ReadersRefuseWhatMayShrinkOrIsNotWhole) {
  RegionCache cache(kLog);
  const auto accepted = [](Descriptor fd) { return static_cast<bool>(KeptRegions(fd.get())); };
  EXPECT_TRUE(accepted(Descriptor(forged(cache, F_SEAL_SHRINK))));
  EXPECT_FALSE(accepted(Descriptor(forged(cache, 0))));
  EXPECT_FALSE(accepted(Descriptor(-1)));
  EXPECT_FALSE(accepted(Descriptor(open("/dev/zero", O_RDONLY))));
  EXPECT_FALSE(accepted(copied_to_file(cache)));
  for (const off_t place : {0, 8}) {  // the stamp, the size of the log
    Descriptor fd(forged(cache, F_SEAL_SHRINK));
    const u64 wrong = kLog * 2;
    ASSERT_EQ(pwrite(fd.get(), &wrong, sizeof wrong, place), 8);
    EXPECT_FALSE(accepted(std::move(fd)));
  }
}

TEST(RegionCache, ReadersCopyNothingThatIsLargerThanAnswersAre) {
  RegionCache cache(u64{64} << 20);
  cache.add(request_of(1), reply_of(1));
  const Descriptor fd(forged(cache, F_SEAL_SHRINK));
  const KeptRegions reader(fd.get());
  EXPECT_EQ(found(reader, request_of(1)), reply_of(1));
  struct stat info;
  ASSERT_EQ(fstat(fd.get(), &info), 0);
  const u32 large = 32 << 20;
  ASSERT_EQ(pwrite(fd.get(), &large, sizeof large, info.st_size - (64 << 20) + 4), 4);
  EXPECT_TRUE(found(reader, request_of(1)).empty());
}

TEST(RegionCache, ReadersStayInsideWhateverTheyRead) {
  RegionCache cache(kLog);
  for (int i = 0; i < 20; ++i) cache.add(request_of(i), reply_of(i));
  const Descriptor fd(forged(cache, F_SEAL_SHRINK));
  const KeptRegions reader(fd.get());
  ASSERT_TRUE(reader);
  struct stat info;
  ASSERT_EQ(fstat(fd.get(), &info), 0);
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    // Words anywhere, mostly in header and index; some are positions near the log's end.
    const u64 word = random() % 2 ? random() >> random() % 64 : kLog * (1 + random() % 4) - random() % 32;
    const u64 place = random() % (random() % 4 ? 8192 : static_cast<u64>(info.st_size)) / 8 * 8;
    ASSERT_EQ(pwrite(fd.get(), &word, sizeof word, static_cast<off_t>(place)), 8);
    const auto request = request_of(static_cast<int>(random() % 20));
    EXPECT_LE(found(reader, request).size(), kLog);
  }
}

}  // namespace
}  // namespace tiercel::service
