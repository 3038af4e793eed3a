#include "engine/code_segment.h"

#include <algorithm>
#include <limits>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {
namespace {

constexpr u64 kMaxAlignment = 64;
/// A kept function counts as so many bytes of code.
constexpr u64 kFunctionBytes = 2048;

}  // namespace

CodeSegment::CodeSegment(const u8* code, u64 begin, u64 end, u8 number)
    : code_(code), begin_(begin), end_(end), next_(begin), number_(number) {}

bool CodeSegment::has_room(u64 bytes) const {
  if (!functions_.empty() && functions_.size() * kFunctionBytes >= end_ - begin_) return false;
  return next_ + bytes + kMaxAlignment <= end_;
}

CachedBlock& CodeSegment::add(const guest::BlockKey& key, const backend::CompiledCode* code) {
  const std::size_t exits = code ? code->exits.size() : 0, faults = code ? code->faults.size() : 0;
  CHECK(exits <= CachedExit::kMaxIndex && faults <= std::numeric_limits<u16>::max());
  void* const memory = arena_.allocate(sizeof(CachedBlock) + exits * sizeof(CachedExit) + faults * sizeof(CachedFault),
                                       alignof(CachedBlock));
  CachedBlock& b = *new (memory) CachedBlock;
  b.key = key;
  b.segment = number_;
  blocks_.push_back(&b);
  if (!code) return b;
  const u64 offset = align_up(next_, u64{code->alignment});
  CHECK(code->code.size() <= CachedExit::kMaxOffset && offset + code->code.size() <= end_);
  b.host = code_ + offset;
  b.host_size = static_cast<u32>(code->code.size());
  b.exit_count = static_cast<u16>(exits);
  b.fault_count = static_cast<u16>(faults);
  for (std::size_t i = 0; i < exits; ++i) {
    const backend::DirectExit& e = code->exits[i];
    new (&b.exits()[i]) CachedExit{.target_pc = e.target_pc,
                                   .patch_offset = e.patch_offset,
                                   .stub_offset = e.stub_offset,
                                   .index = i,
                                   .counted = e.counted};
  }
  for (std::size_t i = 0; i < faults; ++i) {
    const backend::FaultSite& f = code->faults[i];
    CHECK(f.guest_pc - key.pc <= std::numeric_limits<u32>::max());
    new (&b.faults()[i]) CachedFault{f.host_offset, static_cast<u32>(f.guest_pc - key.pc)};
  }
  next_ = offset + code->code.size();
  while (stretch_first_.size() <= (offset - begin_) / kStretch)
    stretch_first_.push_back(static_cast<u32>(blocks_.size() - 1));
  return b;
}

BlockDetails& CodeSegment::details_of(CachedBlock& block) {
  if (!block.own_details) block.own_details = arena_.make<BlockDetails>();
  return *block.own_details;
}

void CodeSegment::keep_function(CachedBlock& block, const ir::Function& f) {
  details_of(block).function = &functions_.emplace_back(f);
}

CachedBlock* CodeSegment::containing(u64 host_pc) const {
  const u64 begin = reinterpret_cast<u64>(code_) + begin_;
  if (host_pc < begin || host_pc >= begin + (next_ - begin_)) return nullptr;
  // The block starts in this stretch, or it is the last one that starts before it.
  const u64 stretch = (host_pc - begin) / kStretch;
  std::size_t i = stretch < stretch_first_.size() ? stretch_first_[stretch] : blocks_.size();
  while (i < blocks_.size() && reinterpret_cast<u64>(blocks_[i]->host) <= host_pc) ++i;
  while (i-- > 0) {
    CachedBlock* b = blocks_[i];
    if (b->host) return host_pc < reinterpret_cast<u64>(b->host) + b->host_size ? b : nullptr;
  }
  return nullptr;
}

void CodeSegment::clear() {
  next_ = begin_;
  blocks_.clear();
  stretch_first_.clear();
  functions_.clear();
  arena_.clear();
}

}  // namespace tiercel::engine
