// What Engine and Vcpu share behind their public headers.
//
// Locking: `lock` guards the translator, the code cache and the list of vCPUs. A vCPU that executes generated code (or
// interprets a cached block) has in_code set and holds no lock. Dropping code memory needs the world stopped: see
// WorldStop. Lock order: `lock` only, nothing is taken under it.
#pragma once

#include <atomic>
#include <cstdio>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/owner_lock.h"
#include "engine/code_cache.h"
#include "engine/code_mappings.h"
#include "engine/debug.h"
#include "engine/engine.h"
#include "engine/tlb.h"
#include "engine/translator.h"

namespace tiercel::engine {

using EnterFn = void (*)(backend::VmContext*, const void* host_code);

struct Engine::Private {
  Private(guest::Frontend& frontend, AddressSpace& memory, const Options& options, CodeMemory code_memory,
          std::unique_ptr<RegionService> service);
  ~Private();

  guest::Frontend& frontend;
  AddressSpace& memory;
  const Options options;
  std::vector<guest::HelperFn> helpers;

  mutable OwnerLock lock;
  std::unique_ptr<Translator> translator;
  CodeCache cache;
  CodeMappings mappings;  // of relative code
  Regions regions;
  std::vector<Vcpu*> vcpus;
  u32 vcpus_made = 0;
  Statistics stats;
  std::FILE* perf_map = nullptr;
  Chaos chaos{options.chaos_seed, 1};

  // Fixed once constructed.
  EnterFn enter = nullptr;
  const u8* runtime = nullptr;
  backend::Runtime runtime_stubs;
  u64 fault_exit = 0;
  backend::JumpCache miss_table;

  std::atomic<u32> world_stopped{0};
  std::atomic<u32> epoch{0};    // counts clears of the cache
  std::atomic<u64> changes{0};  // counts invalidations and clears

  /// False from the first breakpoint on: it is at one of the addresses that lead to the same code.
  std::atomic<bool> may_be_relative{true};

  /// The block for `key`, translated if need be; null when its first byte is not executable. Needs `lock`. `view`: the
  /// vCPU's.
  CachedBlock* find_or_translate(const guest::BlockKey& key, const CodeView& view);
  /// Makes the code cache have room for a block of `bytes`. Needs `lock`; what is dropped for it is the oldest, as by
  /// flush().
  void make_room(u64 bytes);
  void locate_faults();
  /// Drops all translations. Needs `lock`; waits until no vCPU is in code. The caller is not.
  void flush();
  /// As flush, when `lock` was taken over from an owner that died: the translator and the cache may be in any state.
  void start_afresh();
  template <typename Clear>
  void with_world_stopped(Clear&& clear);
  enum class Which : u8 { All, Latest };  // of the addresses that lead to relative code
  /// Makes predictions that lead to the blocks or regions with these keys miss. Needs `lock`.
  void forget_everywhere(std::span<const guest::BlockKey> keys, Which which);
  /// Drops translations of [location, location + size), by BlockKey::location. Needs `lock`.
  void invalidate(u64 location, u64 size);
  /// As CodeCache::link. Needs `lock`.
  void link(CachedExit& exit, CachedBlock& target);
  /// Takes over regions that were compiled meanwhile. Needs `lock`.
  void install_regions();
  /// The block that runs `key` outside regions. Needs `lock`.
  CachedBlock* find_plain(const guest::BlockKey& key);
  /// A region that may mostly not be entered. Needs `lock`.
  void drop_region(CachedBlock& region);
  void note_perf(const CachedBlock& block);
  /// Profile::blocks with what the present vCPUs have executed. Needs `lock`.
  std::vector<ExecutedBlock> executed_blocks() const;
  /// All statistics begin anew: this is a forked child. Needs `lock`.
  void forget_executions();

 private:
  CachedBlock* translate_new(const guest::BlockKey& key);
};

/// Insns as blocks of their own, for Vcpu::step. Forgotten when any code may have changed.
struct SingleInsns {
  u64 changes = 0;
  std::unordered_map<guest::BlockKey, ir::Function, guest::BlockKeyHash> functions;
};

struct Vcpu::Private {
  u32 owner = 0;     // this vCPU's thread for OwnerLock
  Statistics stats;  // this vCPU's share
  std::optional<Counters> counters;
  backend::JumpCache jump_cache;  // in user mode
  std::atomic<bool> exit_requested{false};
  std::atomic<u32> in_code{0};
  u32 mode = 0;
  u32 epoch = 0;
  bool mode_known = false;
  std::optional<Tlb> tlb;                     // a machine's
  std::unique_ptr<SingleInsns> single_insns;  // when stepped
  // Filled by the fault handler.
  u64 guarded_fault = 0;  // host address
  u64 fault_host_pc = 0;
  bool fault_located = false;  // fault_guest_pc is that of fault_host_pc
  u64 fault_guest_pc = 0;
  u64 fault_address = 0;
  bool fault_is_write = false;
  bool fault_address_known = false;
  StopHandler* handler = nullptr;                     // a machine's
  const backend::JumpCache* adopted_jumps = nullptr;  // what generated code uses, or would without a request
  ir::FpEnv fp_env;
  guest::Env guest_env;

  backend::JumpCache& jumps() { return tlb ? tlb->jumps() : jump_cache; }
  void forget_jumps(u64 pc) { tlb ? tlb->forget_jumps(pc) : jump_cache.forget(pc); }
  void forget_jumps_at(const std::bitset<kPageSize>& places) {
    tlb ? tlb->forget_jumps_at(places) : jump_cache.forget_at(places);
  }
};

/// The block to run next, or why there is none.
struct NextBlock {
  const u8* host = nullptr;      // null: interpret `block`, or run it in lockstep
  CachedBlock* block = nullptr;  // may be unknown when `host` is set
  bool not_executable = false;
  bool breakpoint = false;
  guest::Fault fault = {};  // why not
};

}  // namespace tiercel::engine
