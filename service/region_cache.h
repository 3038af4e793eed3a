// What the service has compiled, by what was asked for: guest processes mostly run the same programs and libraries, and
// a shell script starts them again and again. An answer is found only for a request that is the same byte for byte.
//
// It lies in memory that guest processes can map and only the service can write (a sealed memfd): a log of requests and
// answers, whose end overwrites its beginning, and an index into it. So an answer that is kept costs its reader no
// message, and is there as well after a fork or when the service is dead.
#pragma once

#include <span>
#include <vector>

#include "base/descriptor.h"
#include "base/types.h"

namespace tiercel::service {

struct KeptHeader;
struct KeptSlot;

/// The memory, mapped. A reader takes it for hostile: what it finds is a copy, and any bytes.
class KeptRegions {
 public:
  KeptRegions() = default;
  /// What the service has sent; nothing if `fd` is not that. It may be closed.
  explicit KeptRegions(int fd);
  KeptRegions(KeptRegions&& other) noexcept { *this = std::move(other); }
  KeptRegions& operator=(KeptRegions&& other) noexcept;
  ~KeptRegions();

  explicit operator bool() const { return base_ != nullptr; }
  /// The reply to `request`, whose fingerprint is `print`; empty: there is none.
  std::vector<u8> find(std::span<const u8> request, u64 print) const;

 private:
  friend class RegionCache;
  KeptHeader& header() const;
  std::span<KeptSlot> slots(u64 print) const;
  std::vector<u8> read(u64 at, std::span<const u8> request) const;
  u8* log() const;

  u8* base_ = nullptr;
  u64 log_bytes_ = 0;  // as it was when the memory was mapped
};

/// The service's side.
class RegionCache {
 public:
  /// `bytes`: how much it may hold. Where there is no memory for it, nothing is kept.
  explicit RegionCache(u64 bytes);

  /// For KeptRegions, or -1.
  int descriptor() const { return kept_ ? fd_.get() : -1; }
  /// As in KeptRegions.
  std::vector<u8> find(std::span<const u8> request) const;
  void add(std::span<const u8> request, std::span<const u8> reply);

 private:
  bool commit(const void* from, u64 size) const;
  void note(u64 print, u64 at);

  Descriptor fd_;
  KeptRegions kept_;
  u64 end_ = 0;
};

}  // namespace tiercel::service
