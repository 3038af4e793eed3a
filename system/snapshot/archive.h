// The fields of one part of a machine, on their way into a snapshot or out of one.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/types.h"

namespace tiercel::system {

/// A part names its fields once, for both directions: `archive(mask_, levels_)`. What is loaded may be anything, so a
/// part `require`s whatever it relies on. Numbers are little-endian.
class Archive {
 public:
  /// Saves.
  Archive() = default;
  /// Loads what another one collected. Behind its end it gives zeroes, and good() is false from then on.
  explicit Archive(std::span<const u8> saved) : loads_(true), saved_(saved) {}

  bool loads() const { return loads_; }

  /// Numbers, enumerators, booleans, atomics of them, arrays, vectors that keep their size, and whatever has a
  /// serialize(Archive&).
  template <typename... Fields>
  void operator()(Fields&... fields) {
    (field(fields), ...);
  }
  /// A container whose size may differ, up to `most` elements.
  template <typename Container>
  void list(Container& elements, u64 most) {
    u64 size = elements.size();
    field(size);
    require(size <= most);
    if (loads_) elements.resize(good_ ? size : 0);
    for (auto& element : elements) field(element);
  }
  void bytes(std::span<u8> raw) {
    if (loads_)
      take(raw);
    else
      collected_.insert(collected_.end(), raw.begin(), raw.end());
  }

  /// What was loaded cannot be right unless this holds.
  void require(bool holds) {
    if (loads_ && !holds) good_ = false;
  }
  /// It cannot be saved or loaded, for a reason that is worth telling.
  void refuse(std::string reason) {
    good_ = false;
    if (reason_.empty()) reason_ = std::move(reason);
  }
  /// Everything was there and right so far.
  bool good() const { return good_; }
  const std::string& reason() const { return reason_; }
  /// Nothing is left to be loaded.
  bool at_end() const { return saved_.empty(); }
  const std::vector<u8>& collected() const { return collected_; }

 private:
  template <typename T>
  struct IsAtomic : std::false_type {};
  template <typename T>
  struct IsAtomic<std::atomic<T>> : std::true_type {};

  template <typename T>
  void field(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      u8 byte = value;
      bytes({&byte, 1});
      require(byte <= 1);
      value = byte == 1;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      bytes({reinterpret_cast<u8*>(&value), sizeof value});
    } else if constexpr (IsAtomic<T>::value) {
      auto now = value.load();
      field(now);
      if (loads_) value.store(now);
    } else if constexpr (requires { value.serialize(*this); }) {
      value.serialize(*this);
    } else {
      for (auto& element : value) field(element);
    }
  }

  void take(std::span<u8> out) {
    if (out.size() > saved_.size()) good_ = false, saved_ = {};
    if (good_ && !out.empty()) std::memcpy(out.data(), saved_.data(), out.size());
    if (!good_) std::fill(out.begin(), out.end(), u8{0});
    saved_ = saved_.subspan(good_ ? out.size() : 0);
  }

  bool loads_ = false, good_ = true;
  std::string reason_;
  std::vector<u8> collected_;
  std::span<const u8> saved_;
};

}  // namespace tiercel::system
