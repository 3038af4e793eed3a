#include "engine/profile.h"

#include <sys/mman.h>

#include <unordered_map>

#include "base/check.h"

namespace tiercel::engine {

u32 Profile::add(const guest::BlockKey& key, const ir::Function& f, bool interpreted) {
  const u32 counter = next();
  if (counter >= backend::kCounters) return 0;
  Block& block = blocks_.emplace_back();
  block.key = key;
  block.insns = f.insn_count;
  block.interpreted = interpreted;
  if (!f.insts.empty()) block.end = f.insts.back().op;
  return counter;
}

void Profile::forget_executions() {
  for (Block& b : blocks_) b.plain = b.in_regions = b.left = 0;
}

void Profile::collect(const u64* counters) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].plain += counters[first_ + i];
    blocks_[i].in_regions += counters[backend::kCounters + first_ + i];
    blocks_[i].left += counters[2 * backend::kCounters + first_ + i];
  }
}

std::vector<Profile::Block> Profile::blocks() const {
  std::vector<Block> out;
  std::unordered_map<guest::BlockKey, std::size_t, guest::BlockKeyHash> known;
  for (const Block& b : blocks_) {
    if (b.plain + b.in_regions == 0) continue;
    const auto [it, added] = known.try_emplace(b.key, out.size());
    if (!added && out[it->second].insns == b.insns && out[it->second].interpreted == b.interpreted) {
      out[it->second].plain += b.plain;
      out[it->second].in_regions += b.in_regions;
      out[it->second].left += b.left;
      continue;
    }
    it->second = out.size();
    out.push_back(b);
  }
  return out;
}

Counters::Counters() {
  void* p = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK_MSG(p != MAP_FAILED, "no memory for counters");
  data_ = static_cast<u64*>(p);
}

Counters::~Counters() {
  munmap(data_, kBytes);
}

void Counters::clear() {
  madvise(data_, kBytes, MADV_DONTNEED);
}

}  // namespace tiercel::engine
