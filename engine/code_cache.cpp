#include "engine/code_cache.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {

CodeCache::CodeCache(CodeMemory memory) : memory_(std::move(memory)) {}

const u8* CodeCache::install_runtime(const std::vector<u8>& code) {
  CHECK(next_ == 0);
  memory_.write(0, code.data(), code.size());
  runtime_end_ = next_ = align_up(code.size(), 64);
  return memory_.code();
}

CachedBlock* CodeCache::add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code) {
  CachedBlock& b = *index_->arena.make<CachedBlock>();
  b.key = key;
  b.end_pc = std::max(f.end_pc, key.pc + 1);
  b.insn_count = f.insn_count;
  b.counter = f.counter;
  longest_block_ = std::max(longest_block_, b.end_pc - key.pc);
  if (code) install(b, *code);
  index_->by_key.insert(key, &b);
  CachedBlock*& first = index_->by_page[key.location() / kPageSize];
  b.next_in_page = first;
  first = &b;
  return &b;
}

void CodeCache::install(CachedBlock& b, const backend::CompiledCode& code) {
  const u64 offset = align_up(next_, u64{code.alignment});
  memory_.write(offset, code.code.data(), code.code.size());
  next_ = offset + code.code.size();
  b.host = memory_.code() + offset;
  b.host_size = static_cast<u32>(code.code.size());
  b.exits = index_->arena.make_array<CachedExit>(code.exits.size());
  for (std::size_t i = 0; i < code.exits.size(); ++i) {
    const backend::DirectExit& e = code.exits[i];
    b.exits[i] = {&b, nullptr, nullptr, e.target_pc, e.patch_offset, e.stub_offset, e.counted};
  }
  b.faults = index_->arena.make_array<backend::FaultSite>(code.faults.size());
  std::copy(code.faults.begin(), code.faults.end(), b.faults.begin());
  index_->by_address.push_back(&b);
  const u32 index = static_cast<u32>(index_->by_address.size() - 1);
  while (index_->stretch_first.size() <= offset / kStretch) index_->stretch_first.push_back(index);
}

void CodeCache::keep_function(CachedBlock& block, const ir::Function& f) {
  block.function = &index_->functions.emplace_back(f);
}

CachedBlock* CodeCache::containing(u64 host_pc) const {
  const auto& all = index_->by_address;
  const auto& firsts = index_->stretch_first;
  if (!memory_.contains(host_pc) || all.empty()) return nullptr;
  const u64 stretch = (host_pc - reinterpret_cast<u64>(memory_.code())) / kStretch;
  // The block starts in this stretch, or it is the last one that starts before it.
  const auto first = all.begin() + (stretch < firsts.size() ? firsts[stretch] : all.size());
  auto it = first;
  while (it != all.end() && reinterpret_cast<u64>((*it)->host) <= host_pc) ++it;
  if (it == all.begin()) return nullptr;
  CachedBlock* b = *--it;
  return host_pc < reinterpret_cast<u64>(b->host) + b->host_size ? b : nullptr;
}

CachedExit& CodeCache::exit_at(u64 site) const {
  CachedBlock* b = containing(site);
  CHECK_MSG(b, "an exit site outside every block");
  const u64 offset = site - reinterpret_cast<u64>(b->host);
  const auto it = std::find_if(b->exits.begin(), b->exits.end(),
                               [offset](const CachedExit& e) { return e.patch_offset == offset; });
  CHECK_MSG(it != b->exits.end(), "an exit site that its block does not list");
  return *it;
}

void CodeCache::patch(const CachedExit& exit, const u8* destination) {
  const u8* field = exit.from->host + exit.patch_offset;
  memory_.patch32(static_cast<u64>(field - memory_.code()), static_cast<u32>(destination - (field + 4)));
}

void CodeCache::link(CachedExit& exit, CachedBlock& target) {
  const CachedBlock& plain = plain_of(target);
  link_to(exit, exit.counted && plain.gate && !plain.settled ? *plain.gate : target);
}

void CodeCache::link_to(CachedExit& exit, CachedBlock& target) {
  if (exit.from->dead || target.dead || !target.host || exit.target) return;
  patch(exit, target.host);
  exit.target = &target;
  exit.next_incoming = target.incoming;
  target.incoming = &exit;
}

void CodeCache::unlink(CachedExit& exit) {
  patch(exit, exit.from->host + exit.stub_offset);
  exit.target = nullptr;
  exit.next_incoming = nullptr;
}

void CodeCache::drop_links_to(CachedBlock& block) {
  while (CachedExit* exit = block.incoming) {
    block.incoming = exit->next_incoming;
    unlink(*exit);
  }
  block.dead = true;
}

void CodeCache::move_links(CachedBlock& from, CachedBlock& to) {
  while (CachedExit* exit = from.incoming) {
    from.incoming = exit->next_incoming;
    unlink(*exit);
    link(*exit, to);
  }
}

void CodeCache::add_gate(CachedBlock& plain, const backend::CompiledCode& code) {
  CachedBlock& gate = *index_->arena.make<CachedBlock>();
  gate.key = plain.key;
  gate.end_pc = plain.end_pc;
  install(gate, code);
  plain.gate = &gate;
  if (CachedBlock* target = find(plain.key)) link_to(gate.exits.front(), *target);
}

void CodeCache::set_counting(CachedBlock& plain, bool counts) {
  plain.settled = !counts;
  CachedBlock* const target = find(plain.key);
  if (!plain.gate || !target) return;
  CachedBlock& from = counts ? *target : *plain.gate;
  CachedExit* rest = std::exchange(from.incoming, nullptr);
  while (rest) {
    CachedExit& exit = *std::exchange(rest, rest->next_incoming);
    if (exit.counted) {
      unlink(exit);
      link(exit, *target);
    } else {
      exit.next_incoming = std::exchange(from.incoming, &exit);
    }
  }
}

CachedBlock& CodeCache::add_stand_in(std::span<CachedBlock* const> members, const backend::CompiledCode& code) {
  CachedBlock& head = *members.front();
  CachedBlock& r = *index_->arena.make<CachedBlock>();
  r.key = head.key;
  r.end_pc = head.end_pc;
  r.plain = &head;
  r.members = index_->arena.make_array<CachedBlock*>(members.size());
  std::copy(members.begin(), members.end(), r.members.begin());
  for (CachedBlock* member : members) {
    r.insn_count += member->insn_count;
    RegionUse& use = *index_->arena.make<RegionUse>();
    use = {&r, member->uses};
    member->uses = &use;
  }
  install(r, code);
  index_->by_key.replace(r.key, &r);
  for (CachedExit& exit : r.exits) {
    guest::BlockKey key = r.key;
    key.pc = exit.target_pc;
    CachedBlock* target = find(key);
    // One that may need a gate is linked when it is taken, as any other's.
    if (target && (!exit.counted || plain_of(*target).gate)) link(exit, *target);
  }
  return r;
}

CachedBlock* CodeCache::add_region(std::span<CachedBlock* const> members, const backend::CompiledCode& code) {
  CachedBlock& head = *members.front();
  if (CachedBlock* old = find(head.key); old != &head) drop_region(*old);
  CachedBlock& region = add_stand_in(members, code);
  move_links(head, region);
  return &region;
}

CachedBlock* CodeCache::watch(CachedBlock& plain, const backend::CompiledCode& code) {
  CachedBlock* const before = find(plain.key);
  CachedBlock* const member[] = {&plain};
  CachedBlock& watched = add_stand_in(member, code);
  watched.counter = plain.counter;
  watched.instead = before;
  move_links(*before, watched);
  return &watched;
}

void CodeCache::unwatch(CachedBlock& watched) {
  if (watched.dead) return;
  CachedBlock& after = watched.instead->dead ? *watched.plain : *watched.instead;
  if (find(watched.key) == &watched) index_->by_key.replace(watched.key, &after);
  move_links(watched, after);
  watched.dead = true;
}

void CodeCache::drop_region(CachedBlock& region) {
  if (region.dead) return;
  region.plain->settled = false;
  drop_links_to(region);
  if (find(region.key) == &region) index_->by_key.replace(region.key, region.plain);
}

void CodeCache::kill(CachedBlock& block, Dropped& dropped) {
  for (const RegionUse* use = block.uses; use; use = use->next) {
    ++dropped.regions;  // a vCPU may still be inside of one that was dropped long ago
    if (use->region->dead) continue;
    drop_region(*use->region);
    dropped.pcs.push_back(use->region->key.pc);
  }
  drop_links_to(block);
  if (block.gate) drop_links_to(*block.gate);
  dropped.pcs.push_back(block.key.pc);
  ++dropped.blocks;
  index_->by_key.erase(block.key);
  // Its own exits stay linked: a vCPU may still be inside. So targets keep it in their lists and can unlink it later.
  const auto page = index_->by_page.find(block.key.location() / kPageSize);
  CachedBlock** place = &page->second;
  while (*place != &block) place = &(*place)->next_in_page;
  *place = block.next_in_page;
  if (!page->second) index_->by_page.erase(page);
}

void CodeCache::collect(u64 page, u64 start, u64 end, std::vector<CachedBlock*>& found) const {
  const auto it = index_->by_page.find(page);
  if (it == index_->by_page.end()) return;
  for (CachedBlock* b = it->second; b; b = b->next_in_page)
    if (b->key.location() < end && b->end_location() > start) found.push_back(b);
}

std::vector<CachedBlock*> CodeCache::overlapping(u64 start, u64 end) const {
  std::vector<CachedBlock*> found;
  if (index_->by_page.empty()) return found;
  // Blocks are listed under the page they start in and may reach into the next ones.
  const u64 first = (start >= longest_block_ ? start - longest_block_ : 0) / kPageSize;
  const u64 last = (end - 1) / kPageSize;
  if (last - first < index_->by_page.size()) {
    for (u64 page = first; page <= last; ++page) collect(page, start, end, found);
  } else {
    for (const auto& entry : index_->by_page)
      if (entry.first >= first && entry.first <= last) collect(entry.first, start, end, found);
  }
  return found;
}

CodeCache::Dropped CodeCache::invalidate(u64 start, u64 end) {
  Dropped dropped;
  for (CachedBlock* b : overlapping(start, end)) kill(*b, dropped);
  return dropped;
}

CodeCache::Dropped CodeCache::invalidate_pcs(std::span<const u64> pcs) {
  std::vector<CachedBlock*> found;
  const auto has_one = [pcs](const CachedBlock& b) {
    return std::any_of(pcs.begin(), pcs.end(), [&b](u64 pc) { return pc >= b.key.pc && pc < b.end_pc; });
  };
  for (const auto& page : index_->by_page)
    for (CachedBlock* b = page.second; b; b = b->next_in_page)
      if (has_one(*b)) found.push_back(b);
  Dropped dropped;
  for (CachedBlock* b : found) kill(*b, dropped);
  return dropped;
}

void CodeCache::clear() {
  next_ = runtime_end_;
  longest_block_ = 0;
  Index& all = *index_;
  all.by_key.clear();
  all.by_page.clear();
  all.by_address.clear();
  all.stretch_first.clear();
  all.functions.clear();
  all.arena.clear();
}

void CodeCache::abandon() {
  next_ = runtime_end_;
  longest_block_ = 0;
  static_cast<void>(index_.release());  // not destroyed: its containers may be half changed
  index_ = std::make_unique<Index>();
  // A child forked by the dead one may execute the present pages.
  memory_.freeze_after_fork(false);
}

}  // namespace tiercel::engine
