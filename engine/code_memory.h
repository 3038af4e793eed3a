// Executable memory, never writable and executable at one address: shared pages mapped twice, once for writing, once
// for running. No file descriptor is involved: a guest could close or replace it.
//
// Shared pages stay shared across fork, so parent and child would patch each other's code. Both treat what was written
// before the fork as frozen: the first later write to a frozen chunk copies the chunk into pages of the process's own,
// mapped in place. So a fork copies nothing, and a shell that forks a thousand times pays only for chunks it patches.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::engine {

class CodeMemory {
 public:
  static constexpr u64 kChunk = 64 << 10;

  /// Reserves `bytes` (rounded up to a chunk); uses memory only for what is written.
  static Result<CodeMemory> create(u64 bytes);
  CodeMemory(CodeMemory&& other) noexcept;
  CodeMemory& operator=(CodeMemory&&) = delete;
  ~CodeMemory();

  u64 size() const { return size_; }
  const u8* code() const { return run_; }
  bool contains(u64 host_address) const { return host_address - reinterpret_cast<u64>(run_) < size_; }

  /// Writes `bytes` at `offset`. The caller serialises writers.
  void write(u64 offset, const void* bytes, u64 size);
  /// Replaces four bytes that do not cross an 8-byte boundary in one store, while other threads may execute them.
  void patch32(u64 offset, u32 value);

  /// Call in both processes after a fork, before the next write. `child`: unused chunks belong to the parent.
  void freeze_after_fork(bool child);

 private:
  CodeMemory() = default;
  void make_private(u64 chunk);
  void populate(u64 end);

  u8* run_ = nullptr;
  u8* write_ = nullptr;
  u64 size_ = 0;
  u64 high_water_ = 0;       // bytes ever written
  u64 populated_ = 0;        // whose pages were asked for in advance
  std::vector<u8> private_;  // per chunk: nobody else has these pages mapped, or nobody writes them
};

}  // namespace tiercel::engine
