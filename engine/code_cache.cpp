#include "engine/code_cache.h"

#include <algorithm>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::engine {

namespace {

constexpr u64 kLeastSegment = 512 << 10, kMostSegments = 16;

}  // namespace

CodeCache::CodeCache(CodeMemory memory) : memory_(std::move(memory)) {
  make_index();
}

void CodeCache::make_index() {
  index_ = std::make_unique<Index>();
  const u64 count = std::clamp(memory_.size() / kLeastSegment, u64{1}, kMostSegments);
  const u64 size = align_down(memory_.size() / count, CodeMemory::kChunk);
  for (u64 i = 0; i < count; ++i)
    index_->segments.emplace_back(memory_.code(), i * size, i + 1 == count ? memory_.size() : (i + 1) * size,
                                  static_cast<u8>(i));
  index_->segments.front().begin_at(runtime_end_);
}

const u8* CodeCache::install_runtime(const std::vector<u8>& code) {
  CHECK(runtime_end_ == 0);
  memory_.write(0, code.data(), code.size());
  runtime_end_ = align_up(code.size(), 64);
  index_->segments.front().begin_at(runtime_end_);
  return memory_.code();
}

CachedBlock& CodeCache::add_block(const guest::BlockKey& key, const backend::CompiledCode* code) {
  CachedBlock& b = current().add(key, code);
  if (code) memory_.write(static_cast<u64>(b.host - memory_.code()), code->code.data(), code->code.size());
  return b;
}

CachedBlock* CodeCache::add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code) {
  CachedBlock& b = add_block(key, code);
  b.guest_size = static_cast<u32>(std::max(f.end_pc, key.pc + 1) - key.pc);
  b.insn_count = static_cast<u16>(f.insn_count);
  if (f.counter != 0) details_of(b).counter = f.counter;
  longest_block_ = std::max(longest_block_, u64{b.guest_size});
  index_->by_key.insert(key, &b);
  CachedBlock*& first = index_->by_page[key.location() / kPageSize];
  b.next_in_page = first;
  first = &b;
  return &b;
}

void CodeCache::keep_function(CachedBlock& block, const ir::Function& f, u32 number) {
  index_->segments[block.segment].keep_function(block, f);
  details_of(block).number = number;
}

CachedBlock* CodeCache::containing(u64 host_pc) const {
  for (const CodeSegment& s : index_->segments)
    if (CachedBlock* b = s.containing(host_pc)) return b;
  return nullptr;
}

CachedExit& CodeCache::exit_at(u64 site) const {
  CachedBlock* b = containing(site);
  CHECK_MSG(b, "an exit site outside every block");
  const u64 offset = site - reinterpret_cast<u64>(b->host);
  const std::span<CachedExit> exits = b->exits();
  const auto it =
      std::find_if(exits.begin(), exits.end(), [offset](const CachedExit& e) { return e.patch_offset == offset; });
  CHECK_MSG(it != exits.end(), "an exit site that its block does not list");
  return *it;
}

void CodeCache::patch(const CachedExit& exit, const u8* destination) {
  const u8* field = exit.from().host + exit.patch_offset;
  memory_.patch32(static_cast<u64>(field - memory_.code()), static_cast<u32>(destination - (field + 4)));
}

void CodeCache::link(CachedExit& exit, CachedBlock& target) {
  const CachedBlock& plain = plain_of(target);
  link_to(exit, exit.counted && plain.details().gate && !plain.settled ? *plain.details().gate : target);
}

void CodeCache::link_to(CachedExit& exit, CachedBlock& target) {
  if (exit.from().dead || target.dead || !target.host || exit.target) return;
  patch(exit, target.host);
  exit.target = &target;
  exit.next_incoming = target.incoming;
  target.incoming = &exit;
}

void CodeCache::unlink(CachedExit& exit) {
  patch(exit, exit.from().host + exit.stub_offset);
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
  CachedBlock& gate = add_block(plain.key, &code);
  gate.guest_size = plain.guest_size;
  details_of(plain).gate = &gate;
  if (CachedBlock* target = find(plain.key)) link_to(gate.exits().front(), *target);
}

void CodeCache::set_counting(CachedBlock& plain, bool counts) {
  plain.settled = !counts;
  CachedBlock* const target = find(plain.key);
  CachedBlock* const gate = plain.details().gate;
  if (plain.dead || !gate || !target) return;  // a dead one's gate may be gone
  CachedBlock& from = counts ? *target : *gate;
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
  CachedBlock& r = add_block(head.key, &code);
  Arena& arena = current().arena();
  r.guest_size = head.guest_size;
  BlockDetails& details = details_of(r);
  details.plain = &head;
  details.members = arena.make_array<CachedBlock*>(members.size());
  std::copy(members.begin(), members.end(), details.members.begin());
  for (CachedBlock* member : members) {
    r.insn_count = static_cast<u16>(r.insn_count + member->insn_count);
    RegionUse& use = *arena.make<RegionUse>();
    BlockDetails& its = details_of(*member);
    use = {&r, its.uses};
    its.uses = &use;
  }
  index_->by_key.replace(r.key, &r);
  for (CachedExit& exit : r.exits()) {
    guest::BlockKey key = r.key;
    key.pc = exit.target_pc;
    CachedBlock* target = find(key);
    // One that may need a gate is linked when it is taken, as any other's.
    if (target && (!exit.counted || plain_of(*target).details().gate)) link(exit, *target);
  }
  return r;
}

CachedBlock* CodeCache::add_region(std::span<CachedBlock* const> members, std::span<const backend::TlbCodePage> pages,
                                   const backend::CompiledCode& code) {
  CachedBlock& head = *members.front();
  if (CachedBlock* old = find(head.key); old != &head) drop_region(*old);
  CachedBlock& region = add_stand_in(members, code);
  const std::span<backend::TlbCodePage> kept = current().arena().make_array<backend::TlbCodePage>(pages.size());
  std::copy(pages.begin(), pages.end(), kept.begin());
  details_of(region).pages = kept;
  move_links(head, region);
  return &region;
}

CachedBlock* CodeCache::watch(CachedBlock& plain, const backend::CompiledCode& code) {
  CachedBlock* const before = find(plain.key);
  CachedBlock* const member[] = {&plain};
  CachedBlock& watched = add_stand_in(member, code);
  details_of(watched).counter = plain.details().counter;
  details_of(watched).instead = before;
  move_links(*before, watched);
  return &watched;
}

void CodeCache::unwatch(CachedBlock& watched) {
  if (watched.dead) return;
  CachedBlock& after = watched.details().instead->dead ? *watched.plain() : *watched.details().instead;
  if (find(watched.key) == &watched) index_->by_key.replace(watched.key, &after);
  move_links(watched, after);
  watched.dead = true;
}

void CodeCache::drop_region(CachedBlock& region) {
  if (region.dead) return;
  region.plain()->settled = false;
  drop_links_to(region);
  if (find(region.key) == &region) index_->by_key.replace(region.key, region.plain());
}

void CodeCache::kill(CachedBlock& block, Dropped& dropped) {
  for (const RegionUse* use = block.details().uses; use; use = use->next) {
    // One that was dropped long ago as well: a vCPU may still be inside, and predictions may still lead there.
    ++dropped.regions;
    dropped.keys.push_back(use->region->key);
    drop_region(*use->region);
  }
  drop_links_to(block);
  if (CachedBlock* gate = block.details().gate) {
    drop_links_to(*gate);
    details_of(block).gate = nullptr;
  }
  dropped.keys.push_back(block.key);
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
    return std::any_of(pcs.begin(), pcs.end(), [&b](u64 pc) { return pc >= b.key.pc && pc < b.end_pc(); });
  };
  for (const auto& page : index_->by_page)
    for (CachedBlock* b = page.second; b; b = b->next_in_page)
      if (has_one(*b)) found.push_back(b);
  Dropped dropped;
  for (CachedBlock* b : found) kill(*b, dropped);
  return dropped;
}

void CodeCache::clear() {
  longest_block_ = 0;
  index_->by_key.clear();
  index_->by_page.clear();
  for (CodeSegment& s : index_->segments) s.clear();
  index_->current = 0;
}

void CodeCache::abandon() {
  longest_block_ = 0;
  static_cast<void>(index_.release());  // not destroyed: its containers may be half changed
  make_index();
  // A child forked by the dead one may execute the present pages.
  memory_.freeze_after_fork(false);
}

}  // namespace tiercel::engine
