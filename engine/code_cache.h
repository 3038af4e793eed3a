// Owns translated code: key -> block, host address -> block, guest page -> blocks, and the links between blocks.
//
// Every function needs the engine's lock unless it says otherwise. Blocks and their code stay where they are until
// clear(), which nobody may call while a vCPU executes generated code; an invalidated block is only unlinked and
// forgotten.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "backend/compiled_code.h"
#include "engine/code_memory.h"
#include "guest/frontend.h"

namespace tiercel::engine {

struct CachedBlock;

struct LinkSite {
  CachedBlock* from = nullptr;
  u32 exit = 0;  // index into from->exits
};

struct CachedBlock {
  guest::BlockKey key;
  u64 end_pc = 0;
  u32 number = 0;  // the n-th translation, from 1
  u32 insn_count = 0;
  const u8* host = nullptr;  // null: only interpreted
  u32 host_size = 0;
  bool dead = false;
  std::vector<backend::DirectExit> exits;
  std::vector<CachedBlock*> targets;  // per exit: where it is linked to, or null
  std::vector<LinkSite> incoming;
  std::vector<backend::FaultSite> faults;
  std::unique_ptr<ir::Function> function;  // kept for the interpreter and lockstep
};

class CodeCache {
 public:
  explicit CodeCache(CodeMemory memory) : memory_(std::move(memory)) {}

  /// Copies code that stays forever (the runtime stubs) to the start. Returns its host address.
  const u8* install_runtime(const std::vector<u8>& code);

  /// True if a block of `bytes` still fits.
  bool has_room(u64 bytes) const { return next_ + bytes + 64 <= memory_.size(); }

  CachedBlock* find(const guest::BlockKey& key) const;
  /// Adds a block; `code` may be null (interpreted only). The key must not be present.
  CachedBlock* add(const guest::BlockKey& key, const ir::Function& f, const backend::CompiledCode* code);

  /// The block whose code holds host address `pc`, dead ones included; null if none.
  CachedBlock* containing(u64 host_pc) const;
  /// The exit whose patchable field is at `site`.
  LinkSite exit_at(u64 site) const;
  void link(LinkSite site, CachedBlock* target);

  /// Forgets and unlinks the blocks overlapping [start, end). Calls `forget` with each block's pc.
  template <typename Forget>
  u32 invalidate(u64 start, u64 end, Forget&& forget);
  /// Forgets everything but the runtime.
  void clear();

  CodeMemory& memory() { return memory_; }
  const CodeMemory& memory() const { return memory_; }
  u64 bytes_used() const { return next_; }

 private:
  void kill(CachedBlock& block);
  void unlink(LinkSite site);
  std::vector<CachedBlock*> overlapping(u64 start, u64 end) const;

  CodeMemory memory_;
  u64 runtime_end_ = 0;
  u64 next_ = 0;
  std::deque<CachedBlock> blocks_;
  std::vector<CachedBlock*> by_address_;  // those with host code, ascending
  std::unordered_map<guest::BlockKey, CachedBlock*, guest::BlockKeyHash> by_key_;
  std::unordered_map<u64, std::vector<CachedBlock*>> by_page_;
};

template <typename Forget>
u32 CodeCache::invalidate(u64 start, u64 end, Forget&& forget) {
  const auto victims = overlapping(start, end);
  for (CachedBlock* b : victims) {
    kill(*b);
    forget(b->key.pc);
  }
  return static_cast<u32>(victims.size());
}

}  // namespace tiercel::engine
