// Memory for many small objects that are freed all at once.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include "base/bits.h"

namespace tiercel::engine {

/// Objects must be trivially destructible; clear() frees them all. Keeps its first piece.
class Arena {
 public:
  template <typename T>
  std::span<T> make_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    if (count == 0) return {};
    T* items = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
    for (std::size_t i = 0; i < count; ++i) new (items + i) T();
    return {items, count};
  }
  template <typename T>
  T* make() {
    return make_array<T>(1).data();
  }

  void clear() {
    if (pieces_.size() > 1) pieces_.resize(1);
    next_ = pieces_.empty() ? nullptr : pieces_.front().get();
    end_ = next_ ? next_ + kPiece : nullptr;
  }

 private:
  static constexpr std::size_t kPiece = 256 << 10;

  void* allocate(std::size_t bytes, std::size_t alignment) {
    auto at = reinterpret_cast<std::byte*>(align_up(reinterpret_cast<u64>(next_), alignment));
    if (next_ == nullptr || bytes > static_cast<std::size_t>(end_ - next_) || at + bytes > end_) {
      const std::size_t size = bytes > kPiece ? bytes : kPiece;
      pieces_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
      at = pieces_.back().get();
      end_ = at + size;
    }
    next_ = at + bytes;
    return at;
  }

  std::vector<std::unique_ptr<std::byte[]>> pieces_;
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
};

}  // namespace tiercel::engine
