#include "system/boot/decompress.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace tiercel::system {
namespace {

constexpr std::size_t kFirstGuess = 1 << 20;

tl::unexpected<Error> too_large(const std::string& name, u64 most) {
  return fail(EFBIG, fmt::format("{}: unpacks to more than {} MiB", name, most >> 20));
}

/// Room for at least one more byte, at most `most` in all. False: there is none.
bool grow(std::vector<u8>& out, u64 used, u64 most) {
  if (used < out.size()) return true;
  if (out.size() >= most) return false;
  out.resize(std::min<u64>(most, std::max<u64>(kFirstGuess, 2 * out.size())));
  return true;
}

}  // namespace

Result<std::vector<u8>> unpack_gzip(const std::string& name, std::span<const u8> packed, u64 most) {
  z_stream stream = {};
  constexpr int kGzipOnly = 16;
  if (inflateInit2(&stream, kGzipOnly + MAX_WBITS) != Z_OK) return fail(ENOMEM, fmt::format("{}: out of memory", name));
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = const_cast<u8*>(packed.data());
  stream.avail_in = static_cast<uInt>(std::min<u64>(packed.size(), ~uInt{0}));
  std::vector<u8> out;
  int status = Z_OK;
  while (status == Z_OK) {
    const u64 used = stream.total_out;
    if (!grow(out, used, most)) return too_large(name, most);
    stream.next_out = out.data() + used;
    stream.avail_out = static_cast<uInt>(out.size() - used);
    status = inflate(&stream, Z_NO_FLUSH);
  }
  if (status != Z_STREAM_END)
    return fail(EINVAL, fmt::format("{}: the gzip data is {} at byte {}", name,
                                    status == Z_BUF_ERROR ? "cut off" : "corrupt", stream.total_in));
  out.resize(stream.total_out);
  return out;
}

Result<std::vector<u8>> unpack_zstd(const std::string& name, std::span<const u8> packed, u64 most) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  if (!stream) return fail(ENOMEM, fmt::format("{}: out of memory", name));
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::vector<u8> out;
  u64 used = 0;
  size_t left = 1;  // 0: the frame has ended
  while (left != 0) {
    if (!grow(out, used, most)) return too_large(name, most);
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const u64 taken = in.pos;
    left = ZSTD_decompressStream(stream.get(), &to, &in);
    if (ZSTD_isError(left))
      return fail(EINVAL,
                  fmt::format("{}: the zstd data is corrupt at byte {}: {}", name, in.pos, ZSTD_getErrorName(left)));
    if (left != 0 && to.pos == used && in.pos == taken)
      return fail(EINVAL, fmt::format("{}: the zstd data is cut off at byte {}", name, in.pos));
    used = to.pos;
  }
  out.resize(used);
  return out;
}

}  // namespace tiercel::system
