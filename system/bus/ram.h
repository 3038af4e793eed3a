// Guest RAM: one mapping of a memfd.
#pragma once

#include <span>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// Zero-filled memory that takes host memory only where it is touched. The descriptor lets others map the same pages.
class Ram {
 public:
  /// `bytes` is rounded up to whole pages.
  static Result<Ram> create(u64 bytes);
  Ram(Ram&& other) noexcept;
  Ram& operator=(Ram&&) = delete;
  ~Ram();

  std::span<u8> bytes() const { return {base_, size_}; }
  u64 size() const { return size_; }
  int descriptor() const { return fd_; }
  /// Zeroes all of it and gives the host's memory back.
  void clear();

 private:
  Ram() = default;
  u8* base_ = nullptr;
  u64 size_ = 0;
  int fd_ = -1;
};

}  // namespace tiercel::system
