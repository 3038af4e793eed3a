// A look around a hot head before its region is made: which blocks run there how often, and where indirect branches go.
//
// The blocks that can be reached are translated once more, with notes of their executions (backend::WatchNotes), and
// stand in for the plain ones while the head is executed some hundred times. What ran leads to more blocks, until
// nothing new comes: a few rounds. Blocks pay for notes only while they are watched.
//
// In a machine a survey may be continued from another address space than it began in; where it has seen a page's code
// once, it stays. A region checks all of that when it is entered (backend::RegionPlace).
//
// Everything here needs the engine's lock.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/vm_context.h"
#include "engine/code_cache.h"
#include "engine/tlb.h"
#include "engine/translator.h"
#include "ir/region.h"

namespace tiercel::engine {

/// The memory that watched blocks write to, as VmContext::watches; pages that nobody used cost nothing.
class Watches {
 public:
  Watches();
  ~Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;
  backend::WatchNotes* data() { return notes_; }

 private:
  backend::WatchNotes* notes_;
};

/// Where the pcs of a survey are for the vCPU that asks.
struct CodeView {
  const Tlb* tlb = nullptr;  // null: not in a machine
  u64 page = 0;              // what relative pcs are counted from
};

/// All pcs are counted as those of the head are: what is relative, from the head's page.
class Survey {
 public:
  struct Target {
    u64 pc;
    u32 weight;
  };
  struct Block {
    CachedBlock* plain;
    ir::Function function;         // after the passes
    std::vector<u64> next;         // of a direct terminal
    std::vector<Target> indirect;  // of an indirect one: what was seen
    CachedBlock* watched = nullptr;
    u32 watch = 0;                            // number of its notes
    u32 count = 0;                            // executions in the last round
    std::vector<ir::AccessNotes> accesses{};  // in a machine, by WatchNotes::addresses
    bool spread = false;                      // its successors were considered

    u64 pc() const { return function.pc; }
    ir::Opcode end() const { return function.insts.back().op; }
    bool is_call() const { return end() == ir::Opcode::Call || end() == ir::Opcode::CallInd; }
    u64 return_pc() const { return function.constant(function.insts.back().aux).lo; }
  };

  Survey(CodeCache& cache, Translator& translator, Watches& watches);

  /// False: no region may begin at `head`, a plain block.
  bool begin(CachedBlock& head);
  const guest::BlockKey& head() const { return blocks_.front().plain->key; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// The blocks other than the head that an edge goes back to and that ran often enough to say something, the most
  /// frequent first.
  std::vector<const Block*> other_heads() const;
  /// The block at `pc`, or null.
  const Block* find(u64 pc) const;

  /// Considers what can be reached from the blocks that ran in the last round. True: that brought new ones. Here and
  /// below, code in pages that `view` does not know is left out.
  bool spread(const CodeView& view);
  /// Considers everything that can be reached, up to `blocks`, and takes all of it for equally frequent.
  void take_all(u32 blocks, const CodeView& view);
  /// Begins a round: everything is watched, all counts are zero.
  void watch();
  /// Ends a round.
  void read(const Tlb* tlb);
  /// Nothing is watched any more. Not to be called when the cache was cleared.
  void end();
  /// Blocks that now run other code than before the last watch() or end(): predictions of their pcs are stale.
  std::vector<guest::BlockKey> take_stale() { return std::exchange(stale_, {}); }

 private:
  bool add(CachedBlock& block, u64 pc);
  std::optional<u32> space_of(u64 pc, const CodeView& view);
  void consider(u64 pc, const CodeView& view, std::vector<std::size_t>& found);
  std::vector<std::size_t> consider_successors(std::size_t index, const CodeView& view);
  const backend::CompiledCode& compile_in_place(const Block& block);
  void watch(Block& block);
  void read_addresses(Block& block, const Tlb& tlb);

  CodeCache& cache_;
  Translator& translator_;
  Watches& watches_;
  std::vector<Block> blocks_;
  std::unordered_map<u64, std::size_t> index_of_;
  std::unordered_map<u64, u32> spaces_;  // of pages, in a machine
  std::vector<guest::BlockKey> stale_;
  u32 insns_ = 0;
  u32 rounds_ = 0;
  u32 next_watch_ = 1;
};

}  // namespace tiercel::engine
