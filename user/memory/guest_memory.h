// The guest's address space in user mode: guest address = host address, so mappings are host mappings, and this class
// knows which of them are the guest's. The guest can neither map over, unmap nor protect memory that is ours.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/owner_lock.h"
#include "engine/address_space.h"
#include "user/memory/page_map.h"

namespace tiercel::user {

/// Every call answers as the Linux system call of the same name: an address or 0, or -errno. Any thread.
class GuestMemory final : public engine::AddressSpace {
 public:
  /// Told when guest code in [start, start + size) goes away or changes its permissions.
  using CodeListener = std::function<void(u64 start, u64 size)>;
  void set_code_listener(CodeListener listener) { code_changed_ = std::move(listener); }

  // engine::AddressSpace
  std::span<const u8> code_window(VAddr pc) override;
  u64 flat_base() const override { return 0; }

  s64 map(u64 address, u64 size, int prot, int flags, int fd, u64 offset);
  s64 unmap(u64 address, u64 size);
  s64 protect(u64 address, u64 size, int prot);
  s64 remap(u64 old_address, u64 old_size, u64 new_size, int flags, u64 new_address);
  s64 brk(u64 address);
  s64 advise(u64 address, u64 size, int advice);
  s64 attach_shared(int id, u64 address, int flags);
  s64 detach_shared(u64 address);

  /// Where brk starts; once, by the loader.
  void set_brk_start(u64 address);
  u64 brk_start() const { return brk_start_; }

  /// The first stack; once, by the loader.
  void set_stack(u64 start, u64 end);

  /// Names [start, end) for /proc/self/maps, like "[stack]".
  void name_range(u64 start, u64 end, std::string_view name);

  /// True if every page of the range is the guest's.
  bool owns(u64 address, u64 size);
  /// What a guest access at `address` meets.
  enum class Reach { Unmapped, Denied, Allowed };
  Reach reach(u64 address, int prot);

  struct Listed {
    u64 start, end;
    Mapping mapping;
    std::string name;
  };
  std::vector<Listed> list();

  /// Around fork, so that the child finds consistent metadata. The engine's own preparation comes between the two
  /// locks.
  void lock_operations() { operation_.lock(); }
  void lock_pages() { pages_mutex_.lock(); }
  void unlock_after_fork() {
    pages_mutex_.unlock();
    operation_.unlock();
  }
  /// `owner`, a vfork child, has ended, perhaps killed: what it held is released.
  void abandon(u32 owner) {
    if (pages_mutex_.take_over(owner)) pages_mutex_.unlock();
    if (operation_.take_over(owner)) operation_.unlock();
  }

 private:
  s64 map_fixed(u64 start, u64 end, int prot, int flags, int fd, u64 offset);
  void record(u64 start, u64 end, int prot, int flags, int fd, u64 offset);
  void forget_code(u64 start, u64 end);

  void insert_pages(u64 start, u64 end, const Mapping& mapping);
  void erase_pages(u64 start, u64 end);
  void protect_pages(u64 start, u64 end, int prot);

  // Lock order: operation_, the engine's locks, pages_mutex_. An operation holds operation_ from its host call to the
  // end of the invalidation, so that nobody executes new code at an address whose old translations still exist; the
  // translator calls code_window under its own lock and takes pages_mutex_ only. Only holders of operation_ change
  // pages_, so they read it without pages_mutex_.
  OwnerLock operation_;
  OwnerLock pages_mutex_;
  PageMap pages_;
  CodeListener code_changed_;
  u64 brk_start_ = 0, brk_ = 0;
  u64 stack_start_ = 0, stack_end_ = 0;
};

}  // namespace tiercel::user
