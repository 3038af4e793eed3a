// Guest RAM: one anonymous mapping.
#pragma once

#include <span>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// Zero-filled memory that takes host memory only where it is touched.
class Ram {
 public:
  /// `bytes` is rounded up to whole pages.
  static Result<Ram> create(u64 bytes);
  Ram(Ram&& other) noexcept;
  Ram& operator=(Ram&&) = delete;
  ~Ram();

  std::span<u8> bytes() const { return {base_, size_}; }
  u64 size() const { return size_; }
  /// Zeroes all of it and gives the host's memory back.
  void clear();

 private:
  Ram() = default;
  u8* base_ = nullptr;
  u64 size_ = 0;
};

}  // namespace tiercel::system
