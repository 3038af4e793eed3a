// What a machine adds to the contract: physical memory, and a CPU that translates addresses.
#pragma once

#include <array>
#include <optional>

#include "base/types.h"

namespace tiercel::guest {

enum class Access : u8 { Read, Write, Execute };

/// A memory access that was refused. Delivered to the guest by the personality or the frontend.
struct Fault {
  VAddr address;
  Access access = Access::Read;
  bool misaligned = false;
  u32 status = 0;  // a machine: why, in the guest's own terms
};

/// Physical addresses as a CPU reaches them. Any thread.
class PhysicalMemory {
 public:
  virtual ~PhysicalMemory() = default;
  /// The host's view of a byte, good up to the end of its 4 KiB page; null: every access goes through read and write.
  struct Direct {
    u8* host = nullptr;
    bool writable = false;
  };
  virtual Direct direct(PAddr address) = 0;
  /// 1, 2, 4 or 8 bytes within one page. No value, or false: nothing answers there.
  virtual std::optional<u64> read(PAddr address, unsigned bytes) = 0;
  virtual bool write(PAddr address, unsigned bytes, u64 value) = 0;
};

/// What a mapping came from. While a walk for an address still takes the same path, and `entry` holds `value`, it finds
/// the same mapping.
struct WalkOrigin {
  u64 path = 0;  // in the guest's terms; 0: not told
  PAddr entry;   // of 8 bytes
  u64 value = 0;
};

/// What a page walk found: holds for the whole 4 KiB page, and for as much around it as `size_log2` says.
struct Mapping {
  PAddr address;
  u8 size_log2 = 12;
  bool read = false, write = false, execute = false;  // at the privilege that was asked for
  bool global = false;                                // the same in every address space
  bool device = false;                                // a misaligned access is refused
  u8 attributes = 0, shareability = 0;                // what else the guest's tables say, in its terms
  WalkOrigin origin = {};
};

/// A mapping, or why there is none.
struct Walk {
  std::optional<Mapping> mapping;
  Fault fault = {};
};

/// Where walks that follow each other went, so that the later ones are shorter. For a stretch of walks with one state,
/// at one privilege, in which the guest executes nothing.
struct WalkMemo {
  static constexpr unsigned kRegionLog2 = 21;
  struct Table {
    u64 region = ~u64{0};  // address >> kRegionLog2: not that of any address
    u64 path = 0;          // WalkOrigin::path of all mappings in it
  };
  Table& at(u64 address) {
    const u64 region = address >> kRegionLog2;
    return tables[(region ^ region >> 9) % tables.size()];
  }
  std::array<Table, 512> tables;
};

/// The translating part of a guest CPU.
class Mmu {
 public:
  virtual ~Mmu() = default;
  /// Names what `state` translates with: while nothing is invalidated, equal names find equal mappings.
  /// `unprivileged`: for accesses with MemAttr::user. The low 16 bits name the address space.
  virtual u64 context(const void* state, bool unprivileged) const = 0;
  /// Set in names of contexts that have most of their mappings in common with those whose names differ in the address
  /// space only: a kernel's. No unprivileged one.
  static constexpr u64 kCommon = u64{1} << 63;
  /// The mapping of an address that allows `access`.
  virtual Walk walk(const void* state, PhysicalMemory& memory, VAddr address, Access access, bool unprivileged,
                    WalkMemo* memo = nullptr) const = 0;
  /// What a misaligned access to a device is for the guest.
  virtual u32 alignment_status() const = 0;
  /// ... and an access that nothing answers.
  virtual u32 external_status() const = 0;
};

}  // namespace tiercel::guest
