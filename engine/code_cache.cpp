#include "engine/code_cache.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {

const u8* CodeCache::install_runtime(const std::vector<u8>& code) {
  CHECK(next_ == 0);
  memory_.write(0, code.data(), code.size());
  runtime_end_ = next_ = align_up(code.size(), 64);
  return memory_.code();
}

CachedBlock* CodeCache::find(const guest::BlockKey& key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : it->second;
}

CachedBlock* CodeCache::add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code) {
  CachedBlock& b = blocks_.emplace_back();
  b.key = key;
  b.end_pc = std::max(f.end_pc, key.pc + 1);
  b.insn_count = f.insn_count;
  if (code) {
    const u64 offset = align_up(next_, 16);
    memory_.write(offset, code->code.data(), code->code.size());
    next_ = offset + code->code.size();
    b.host = memory_.code() + offset;
    b.host_size = static_cast<u32>(code->code.size());
    b.exits = code->exits;
    b.faults = code->faults;
    b.targets.resize(b.exits.size());
    by_address_.push_back(&b);
  }
  by_key_.emplace(key, &b);
  for (u64 page = key.pc / kPageSize; page <= (b.end_pc - 1) / kPageSize; ++page) by_page_[page].push_back(&b);
  return &b;
}

CachedBlock* CodeCache::containing(u64 host_pc) const {
  auto it = std::upper_bound(by_address_.begin(), by_address_.end(), host_pc,
                             [](u64 pc, const CachedBlock* b) { return pc < reinterpret_cast<u64>(b->host); });
  if (it == by_address_.begin()) return nullptr;
  CachedBlock* b = *--it;
  return host_pc < reinterpret_cast<u64>(b->host) + b->host_size ? b : nullptr;
}

LinkSite CodeCache::exit_at(u64 site) const {
  CachedBlock* b = containing(site);
  CHECK_MSG(b, "an exit site outside every block");
  const u64 offset = site - reinterpret_cast<u64>(b->host);
  for (u32 i = 0; i < b->exits.size(); ++i)
    if (b->exits[i].patch_offset == offset) return {b, i};
  CHECK_MSG(false, "an exit site that its block does not list");
  return {};
}

void CodeCache::link(LinkSite site, CachedBlock* target) {
  CachedBlock& from = *site.from;
  if (from.dead || target->dead || !target->host || from.targets[site.exit]) return;
  const u8* field = from.host + from.exits[site.exit].patch_offset;
  const s64 distance = target->host - (field + 4);
  memory_.patch32(static_cast<u64>(field - memory_.code()), static_cast<u32>(distance));
  from.targets[site.exit] = target;
  target->incoming.push_back(site);
}

void CodeCache::unlink(LinkSite site) {
  CachedBlock& from = *site.from;
  const backend::DirectExit& exit = from.exits[site.exit];
  const u8* field = from.host + exit.patch_offset;
  const s64 distance = static_cast<s64>(exit.stub_offset) - static_cast<s64>(exit.patch_offset + 4);
  memory_.patch32(static_cast<u64>(field - memory_.code()), static_cast<u32>(distance));
  from.targets[site.exit] = nullptr;
}

void CodeCache::kill(CachedBlock& block) {
  for (const LinkSite& site : block.incoming) unlink(site);
  block.incoming.clear();
  block.dead = true;
  by_key_.erase(block.key);
  // Its own exits stay linked: a vCPU may still be inside. So targets keep it in their lists and can unlink it later.
  for (u64 page = block.key.pc / kPageSize; page <= (block.end_pc - 1) / kPageSize; ++page) {
    const auto it = by_page_.find(page);
    if (it == by_page_.end()) continue;
    std::erase(it->second, &block);
    if (it->second.empty()) by_page_.erase(it);
  }
}

std::vector<CachedBlock*> CodeCache::overlapping(u64 start, u64 end) const {
  std::vector<CachedBlock*> found;
  const auto look_at = [&](const std::vector<CachedBlock*>& blocks) {
    for (CachedBlock* b : blocks)
      if (b->key.pc < end && b->end_pc > start && std::find(found.begin(), found.end(), b) == found.end())
        found.push_back(b);
  };
  const u64 first = start / kPageSize, last = (end - 1) / kPageSize;
  if (last - first < by_page_.size()) {
    for (u64 page = first; page <= last; ++page)
      if (const auto it = by_page_.find(page); it != by_page_.end()) look_at(it->second);
  } else {
    for (const auto& [page, blocks] : by_page_)
      if (page >= first && page <= last) look_at(blocks);
  }
  return found;
}

void CodeCache::clear() {
  next_ = runtime_end_;
  by_key_.clear();
  by_page_.clear();
  by_address_.clear();
  blocks_.clear();
}

}  // namespace tiercel::engine
