// A disk whose changes are forgotten.
#include "system/host/scratch_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tiercel::system {
namespace {

/// Bytes that nobody may write.
class Below final : public BlockStore {
 public:
  explicit Below(const std::vector<u8>& bytes) : bytes_(bytes) {}
  u64 size() const override { return bytes_.size(); }
  bool read_only() const override { return true; }
  Result<void> read(u64 offset, std::span<const iovec> to) override {
    for (const iovec& v : to) {
      std::copy_n(bytes_.begin() + static_cast<long>(offset), v.iov_len, static_cast<u8*>(v.iov_base));
      offset += v.iov_len;
    }
    return {};
  }
  Result<void> write(u64, std::span<const iovec>) override { return fail(EROFS, "written"); }
  Result<void> flush() override { return {}; }
  Result<void> zero(u64, u64, bool) override { return fail(EROFS, "zeroed"); }
  void discard(u64, u64) override { ADD_FAILURE(); }
  Result<void> serialize(Snapshot&, const std::string&) override { return {}; }

 private:
  const std::vector<u8>& bytes_;
};

TEST(ScratchDisk, DoesWhatADiskDoes) {
  std::mt19937 random(1);
  std::vector<u8> below(300'000 / 512 * 512);
  for (u8& byte : below) byte = static_cast<u8>(random());
  std::vector<u8> expected = below;
  const auto disk = std::move(*make_scratch_disk(std::make_unique<Below>(below)));
  EXPECT_EQ(disk->size(), below.size());
  EXPECT_FALSE(disk->read_only());
  std::vector<u8> bytes(200'000);
  for (int i = 0; i < 300; ++i) {
    const u64 offset = random() % (below.size() / 512) * 512;
    const u64 most = std::min<u64>(bytes.size(), below.size() - offset);
    const u64 n = std::min<u64>(most, (i % 3 == 0 ? random() % 200 + 1 : random() % 4 + 1) * 512);
    const std::span<u8> at = std::span(expected).subspan(offset, n);
    const u64 half = n / 2;
    const iovec pieces[] = {{bytes.data(), half}, {bytes.data() + half, n - half}};
    switch (random() % 4) {
      case 0:
        ASSERT_TRUE(disk->zero(offset, n, true));
        std::fill(at.begin(), at.end(), 0);
        break;
      case 1:
        for (u8& byte : std::span(bytes).first(n)) byte = static_cast<u8>(random());
        ASSERT_TRUE(disk->write(offset, pieces));
        std::copy_n(bytes.begin(), n, at.begin());
        break;
      default:
        ASSERT_TRUE(disk->read(offset, pieces));
        ASSERT_TRUE(std::equal(at.begin(), at.end(), bytes.begin())) << offset << " " << n;
    }
  }
}

}  // namespace
}  // namespace tiercel::system
