// A snapshot of a machine, being written or being read. The machine goes through its parts once, for both directions,
// in the same order.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "system/snapshot/archive.h"

namespace tiercel::system {

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual bool loads() const = 0;
  /// A part with the fields that `fields` names. An error: it is not the next one, or cannot be right.
  virtual Result<void> section(const std::string& name, const std::function<void(Archive&)>& fields) = 0;
  /// Memory; pages of zeroes take no room. It is all zeroes before it is loaded.
  virtual Result<void> memory(const std::string& name, std::span<u8> bytes) = 0;
};

/// Bytes that follow each other.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<void> put(std::span<const u8> bytes) = 0;
};
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// All of them, or an error.
  virtual Result<void> get(std::span<u8> bytes) = 0;
};

/// Sections as bytes: a name, a size, and what is in it.
class SnapshotWriter final : public Snapshot {
 public:
  explicit SnapshotWriter(ByteSink& to) : to_(to) {}
  bool loads() const override { return false; }
  Result<void> section(const std::string& name, const std::function<void(Archive&)>& fields) override;
  Result<void> memory(const std::string& name, std::span<u8> bytes) override;

 private:
  Result<void> begin(const std::string& name, u64 size);
  ByteSink& to_;
};

class SnapshotReader final : public Snapshot {
 public:
  explicit SnapshotReader(ByteSource& from) : from_(from) {}
  bool loads() const override { return true; }
  Result<void> section(const std::string& name, const std::function<void(Archive&)>& fields) override;
  Result<void> memory(const std::string& name, std::span<u8> bytes) override;

 private:
  Result<u64> begin(const std::string& name);
  ByteSource& from_;
};

}  // namespace tiercel::system
