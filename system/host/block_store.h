// The bytes behind a disk.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

/// One caller at a time. May wait: call it on an event loop's thread. Ranges lie within size().
class BlockStore {
 public:
  virtual ~BlockStore() = default;
  virtual u64 size() const = 0;
  virtual bool read_only() const = 0;
  /// All of the bytes, or an error.
  virtual Result<void> read(u64 offset, std::span<const iovec> to) = 0;
  virtual Result<void> write(u64 offset, std::span<const iovec> from) = 0;
  /// What was written before is on stable storage afterwards.
  virtual Result<void> flush() = 0;
  /// The range reads as zeroes afterwards; `may_unmap`: its space may be given back.
  virtual Result<void> zero(u64 offset, u64 bytes, bool may_unmap) = 0;
  /// The range's content does not matter any more.
  virtual void discard(u64 offset, u64 bytes) = 0;
  /// Its part of a snapshot: its content, or what tells that the content is still the same. After a flush.
  virtual Result<void> serialize(Snapshot& snapshot, const std::string& name) = 0;
};

}  // namespace tiercel::system
