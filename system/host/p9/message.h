// The 9P wire format: little-endian numbers, strings with a 16-bit length. 9P2000.L (diod, protocol.md).
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"

namespace tiercel::system::p9 {

/// What names a file on the server for good.
struct Qid {
  u8 type = 0;
  u32 version = 0;
  u64 path = 0;
};

/// Takes fields from a message. Behind its end it gives zeroes, and good() is false from then on.
class Reader {
 public:
  explicit Reader(std::span<const u8> bytes) : bytes_(bytes) {}
  template <typename T>
  T number() {
    T value = 0;
    const std::span<const u8> from = data(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  std::string text() {
    const std::span<const u8> from = data(number<u16>());
    return {from.begin(), from.end()};
  }
  std::span<const u8> data(u64 size) {
    if (size > bytes_.size()) good_ = false, bytes_ = {};
    if (!good_) return {};
    const std::span<const u8> taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  bool good() const { return good_; }

 private:
  std::span<const u8> bytes_;
  bool good_ = true;
};

class Writer {
 public:
  template <typename T>
  void number(T value) {
    const u8* bytes = reinterpret_cast<const u8*>(&value);
    out_.insert(out_.end(), bytes, bytes + sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<u16>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void qid(const Qid& q) {
    number(q.type);
    number(q.version);
    number(q.path);
  }
  std::vector<u8>& bytes() { return out_; }

 private:
  std::vector<u8> out_;
};

}  // namespace tiercel::system::p9
