// A part of the code cache: a stretch of code memory that is filled from its start and emptied as a whole, with all
// that is known of the blocks in there.
#pragma once

#include <deque>
#include <vector>

#include "engine/arena.h"
#include "engine/cached_block.h"

namespace tiercel::engine {

class CodeSegment {
 public:
  /// `code`: the host address of the code memory's start; the offsets are counted from there. `number`:
  /// CachedBlock::segment.
  CodeSegment(const u8* code, u64 begin, u64 end, u8 number);
  CodeSegment(const CodeSegment&) = delete;

  /// True if a block of `bytes` still fits, whatever its alignment.
  bool has_room(u64 bytes) const;
  bool empty() const { return next_ == begin_ && blocks_.empty(); }
  /// Leaves out what is at the start.
  void begin_at(u64 offset) { begin_ = next_ = offset; }

  /// A block of these kinds; `code` may be null.
  CachedBlock& add(const guest::BlockKey& key, const backend::CompiledCode* code);
  /// Its details, which may be changed.
  BlockDetails& details_of(CachedBlock& block);
  void keep_function(CachedBlock& block, const ir::Function& f);
  Arena& arena() { return arena_; }

  /// The block whose code holds host address `pc`, or null.
  CachedBlock* containing(u64 host_pc) const;
  /// Those with code in the order of their addresses.
  const std::vector<CachedBlock*>& blocks() const { return blocks_; }
  void clear();

 private:
  // blocks_ is narrowed by the first block that starts in each stretch of code memory.
  static constexpr u64 kStretch = 1024;

  const u8* code_;
  u64 begin_, end_, next_;
  u8 number_;
  Arena arena_;
  std::vector<CachedBlock*> blocks_;
  std::vector<u32> stretch_first_;  // per stretch up to the last used: index into blocks_
  std::deque<ir::Function> functions_;
};

}  // namespace tiercel::engine
