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

/// Objects must be trivially destructible; clear() forgets them all. Its memory is used again.
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
  /// Without an object in it.
  void* allocate(std::size_t bytes, std::size_t alignment) {
    auto at = reinterpret_cast<std::byte*>(align_up(reinterpret_cast<u64>(next_), alignment));
    if (next_ == nullptr || bytes > static_cast<std::size_t>(end_ - next_) || at + bytes > end_) at = next_piece(bytes);
    next_ = at + bytes;
    return at;
  }

  void clear() {
    std::erase_if(pieces_, [](const Piece& p) { return p.size != kPiece; });
    used_ = 0;
    next_ = end_ = nullptr;
  }

 private:
  static constexpr std::size_t kPiece = 64 << 10;

  struct Piece {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size;
  };

  std::byte* next_piece(std::size_t bytes) {
    const std::size_t size = bytes > kPiece ? bytes : kPiece;
    if (used_ == pieces_.size() || pieces_[used_].size < size)
      pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(used_),
                     Piece{std::make_unique_for_overwrite<std::byte[]>(size), size});
    std::byte* const at = pieces_[used_++].memory.get();
    end_ = at + size;
    return at;
  }

  std::vector<Piece> pieces_;
  std::size_t used_ = 0;  // of them
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
};

}  // namespace tiercel::engine
