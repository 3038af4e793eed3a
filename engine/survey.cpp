#include "engine/survey.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "ir/region.h"

namespace tiercel::engine {
namespace {

using ir::Opcode;

constexpr std::size_t kBytes = backend::kWatches * sizeof(backend::WatchNotes);
constexpr u32 kMaxBlocks = 192, kMaxInsns = 2500;
constexpr u32 kBlocksPerRound = 32;  // so that cold code around the head is not looked at far and wide
constexpr u32 kMaxRounds = 8;
constexpr u32 kTelling = 32;  // executions in the last round that say something about a block
// What is reached from blocks that ran less often than the n-th part of the head is not looked at.
constexpr u32 kLookFraction = 64;
static_assert(kMaxBlocks < backend::kWatches);

bool fits(const ir::Function& f) {
  return f.insts.back().op != Opcode::Exit &&
         std::none_of(f.insts.begin(), f.insts.end(), [](const ir::Inst& i) { return i.op == Opcode::CallHelper; });
}

}  // namespace

Watches::Watches() {
  void* p = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK_MSG(p != MAP_FAILED, "no memory for notes of executions");
  notes_ = static_cast<backend::WatchNotes*>(p);
}

Watches::~Watches() {
  munmap(notes_, kBytes);
}

Survey::Survey(CodeCache& cache, Translator& translator, Watches& watches)
    : cache_(cache), translator_(translator), watches_(watches) {}

const Survey::Block* Survey::find(u64 pc) const {
  const auto it = index_of_.find(pc);
  return it == index_of_.end() ? nullptr : &blocks_[it->second];
}

std::vector<const Survey::Block*> Survey::other_heads() const {
  std::vector<const Block*> heads;
  for (const Block& b : blocks_)
    for (const u64 pc : b.next) {
      const Block* to = static_cast<s64>(pc - b.function.end_pc) < 0 ? find(pc) : nullptr;
      if (to && to != &blocks_.front() && to->count >= kTelling &&
          std::find(heads.begin(), heads.end(), to) == heads.end())
        heads.push_back(to);
    }
  std::stable_sort(heads.begin(), heads.end(), [](const Block* a, const Block* b) { return a->count > b->count; });
  return heads;
}

bool Survey::begin(CachedBlock& head) {
  if (!add(head, head.key.pc)) return false;
  spaces_.emplace(head.key.pc / kPageSize, head.key.space);
  blocks_.front().count = 1;
  return true;
}

bool Survey::add(CachedBlock& block, u64 pc) {
  if (!block.host || insns_ + block.insn_count > kMaxInsns || blocks_.size() >= kMaxBlocks) return false;
  guest::BlockKey key = block.key;
  key.pc = pc;
  if (!translator_.translate_for_region(key, block.insn_count)) return false;
  const ir::Function& f = translator_.function();
  // Other bytes than the block was made from: it is about to be invalidated.
  if (f.insn_count != block.insn_count || std::max(f.end_pc - f.pc, u64{1}) != block.guest_size || !fits(f))
    return false;
  index_of_.emplace(pc, blocks_.size());
  insns_ += block.insn_count;
  Block& b = blocks_.emplace_back(Block{&block, f, {}, {}});
  b.function.counter = block.details().counter;
  const ir::Inst& end = f.insts.back();
  if (end.op == Opcode::Branch) b.next = {end.imm, f.constant(end.aux).lo};
  if (end.op == Opcode::Jump || end.op == Opcode::Call) b.next = {end.imm};
  return true;
}

/// BlockKey::space of the code at `pc`.
std::optional<u32> Survey::space_of(u64 pc, const CodeView& view) {
  if (!view.tlb) return 0;
  if (const auto it = spaces_.find(pc / kPageSize); it != spaces_.end()) return it->second;
  std::optional<u32> found = view.tlb->known_code_space(view.page + pc);
  if (!found) return found;
  if (head().relative()) *found |= guest::BlockKey::kRelative;
  spaces_.emplace(pc / kPageSize, *found);
  return found;
}

void Survey::consider(u64 pc, const CodeView& view, std::vector<std::size_t>& found) {
  if (index_of_.contains(pc)) return;
  const std::optional<u32> space = space_of(pc, view);
  if (!space) return;
  guest::BlockKey key = head();
  key.pc = key.relative() ? pc % kPageSize : pc;
  key.space = *space;
  CachedBlock* block = cache_.find(key);
  if (!block) return;
  if (add(plain_of(*block), pc)) found.push_back(blocks_.size() - 1);
}

std::vector<std::size_t> Survey::consider_successors(std::size_t index, const CodeView& view) {
  std::vector<std::size_t> found;
  blocks_[index].spread = blocks_[index].indirect.empty();  // of an indirect one there may be more targets later
  const std::vector<u64> next = blocks_[index].next;
  const std::vector<Target> indirect = blocks_[index].indirect;
  for (const u64 pc : next) consider(pc, view, found);
  for (const Target& t : indirect) consider(t.pc, view, found);
  if (blocks_[index].is_call()) consider(blocks_[index].return_pc(), view, found);
  return found;
}

/// Breadth first.
bool Survey::spread(const CodeView& view) {
  if (++rounds_ > kMaxRounds) return false;
  const std::size_t before = blocks_.size();
  const u32 least = std::max(1u, blocks_.front().count / kLookFraction);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < before; ++i)
    if (blocks_[i].count >= least && !blocks_[i].spread) open.push_back(i);
  for (std::size_t i = 0; i < open.size() && blocks_.size() < before + kBlocksPerRound; ++i)
    for (const std::size_t n : consider_successors(open[i], view)) open.push_back(n);
  return blocks_.size() > before;
}

void Survey::take_all(u32 blocks, const CodeView& view) {
  for (std::size_t i = 0; i < blocks_.size() && blocks_.size() < blocks; ++i) consider_successors(i, view);
  for (Block& b : blocks_) b.count = 1;
}

void Survey::watch() {
  for (Block& b : blocks_) {
    b.count = 0;
    if (!b.watched) watch(b);
    if (b.watch != 0) std::atomic_ref(watches_.data()[b.watch].count).store(0, std::memory_order_relaxed);
  }
}

/// As a block by itself: with pcs that are counted from its own page.
const backend::CompiledCode& Survey::compile_in_place(const Block& b) {
  const u64 distance = b.plain->key.pc - b.pc();
  if (distance == 0) return translator_.compile(b.function);
  ir::Function moved = b.function;
  ir::move_pcs(moved, distance);
  return translator_.compile(moved);
}

void Survey::watch(Block& b) {
  if (b.plain->dead || next_watch_ >= backend::kWatches) return;
  b.function.watch = next_watch_;
  const backend::CompiledCode& code = compile_in_place(b);
  b.function.watch = 0;
  if (!cache_.has_room(code.code.size() + code.alignment)) return;
  b.watch = next_watch_++;
  b.watched = cache_.watch(*b.plain, code);
  backend::WatchNotes& notes = watches_.data()[b.watch];
  std::fill(std::begin(notes.targets), std::end(notes.targets), backend::WatchNotes::kNone);
  std::memset(notes.addresses, 0, sizeof notes.addresses);
  stale_.push_back(b.plain->key);
}

void Survey::read(const Tlb* tlb) {
  for (Block& b : blocks_) {
    if (b.watch == 0) continue;
    backend::WatchNotes& notes = watches_.data()[b.watch];
    b.count = std::atomic_ref(notes.count).load(std::memory_order_relaxed);
    if (tlb) read_addresses(b, *tlb);
    for (u64& noted : notes.targets) {
      constexpr u64 kNone = backend::WatchNotes::kNone;
      const u64 target = std::atomic_ref(noted).exchange(kNone, std::memory_order_relaxed);
      if (target == kNone) continue;
      const u64 pc = target + b.pc() - b.plain->key.pc;
      const auto known =
          std::find_if(b.indirect.begin(), b.indirect.end(), [pc](const Target& t) { return t.pc == pc; });
      if (known != b.indirect.end())
        ++known->weight;
      else
        b.indirect.push_back({pc, 1}), b.spread = false;
    }
  }
}

/// From the oldest on.
void Survey::read_addresses(Block& b, const Tlb& tlb) {
  auto& addresses = watches_.data()[b.watch].addresses;
  u32 n = 0;
  for (u32 i = 0; i < b.function.insts.size() && n < backend::WatchNotes::kAccesses; ++i) {
    if (const Opcode op = b.function.insts[i].op; op != Opcode::Load && op != Opcode::Store) continue;
    if (n == b.accesses.size()) b.accesses.push_back({.inst = i});
    ir::AccessNotes& notes = b.accesses[n];
    u64 before = 0;
    for (u32 k = 1; k <= backend::WatchNotes::kAddresses; ++k) {
      u64& noted = addresses[n][(b.count + k) % backend::WatchNotes::kAddresses];
      const u64 now = std::atomic_ref(noted).exchange(0, std::memory_order_relaxed);
      if (now != 0 && before != 0) {
        ++notes.seen;
        notes.page = now / kPageSize;
        if (now / kPageSize != before / kPageSize) {
          ++notes.page_changes;
          const auto distance = tlb.known_distance(now);
          if (!distance || distance != tlb.known_distance(before)) ++notes.distance_changes;
        }
      }
      before = now;
    }
    ++n;
  }
}

void Survey::end() {
  for (Block& b : blocks_) {
    if (!b.watched) continue;
    cache_.unwatch(*b.watched);
    stale_.push_back(b.plain->key);
    b.watched = nullptr;
    b.watch = 0;
  }
}

}  // namespace tiercel::engine
