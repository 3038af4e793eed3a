#include "user/memory/guest_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>

#include "base/bits.h"
#include "engine/guarded_access.h"

namespace tiercel::user {

namespace {

constexpr int kProtMask = PROT_READ | PROT_WRITE | PROT_EXEC;
constexpr int kProtSem = 0x8;   // PROT_SEM
constexpr int kProtBti = 0x10;  // arm64 PROT_BTI: branch targets are not checked, so it changes nothing here
constexpr int kProtMte = 0x20;  // arm64 PROT_MTE

/// Guest code is data to the host: it is read, never executed.
int host_prot(int prot) {
  const int data = prot & (PROT_READ | PROT_WRITE);
  return prot & PROT_EXEC ? data | PROT_READ : data;
}

bool valid_prot(int prot) {
  return (prot & ~(kProtMask | kProtSem | kProtBti)) == 0 && !(prot & kProtMte);
}

s64 host_result(const void* p) {
  return p == MAP_FAILED ? -errno : static_cast<s64>(reinterpret_cast<u64>(p));
}
s64 host_result(int r) {
  return r < 0 ? -errno : r;
}
void* pointer(u64 address) {
  return reinterpret_cast<void*>(address);
}

/// [start, end) of a request, or false if it leaves the address space.
bool page_range(u64 address, u64 size, u64& end) {
  const u64 rounded = align_up(size, kPageSize);
  if (rounded < size || address > kAddressLimit || rounded > kAddressLimit - address) return false;
  end = address + rounded;
  return true;
}

}  // namespace

std::span<const u8> GuestMemory::code_window(VAddr pc) {
  std::lock_guard lock(pages_mutex_);
  const PageMap::Region* r = pages_.find(pc.value);
  if (!r || !(r->mapping.prot & PROT_EXEC)) return {};
  // A file mapping may end before its last page does; better an execute fault than a host fault in the decoder.
  U128 probe;
  if (r->mapping.inode != 0 && !engine::guarded_load(pc.value & ~u64{3}, 4, probe)) return {};
  return {static_cast<const u8*>(pointer(pc.value)), align_down(pc.value, kPageSize) + kPageSize - pc.value};
}

void GuestMemory::insert_pages(u64 start, u64 end, const Mapping& mapping) {
  std::lock_guard lock(pages_mutex_);
  pages_.insert(start, end, mapping);
}
void GuestMemory::erase_pages(u64 start, u64 end) {
  std::lock_guard lock(pages_mutex_);
  pages_.erase(start, end);
}
void GuestMemory::protect_pages(u64 start, u64 end, int prot) {
  std::lock_guard lock(pages_mutex_);
  pages_.protect(start, end, prot);
}

void GuestMemory::forget_code(u64 start, u64 end) {
  if (code_changed_ && pages_.any_with(start, end, PROT_EXEC)) code_changed_(start, end - start);
}

void GuestMemory::record(u64 start, u64 end, int prot, int flags, int fd, u64 offset) {
  Mapping m{.prot = prot & kProtMask, .shared = (flags & MAP_TYPE) != MAP_PRIVATE};
  struct stat info;
  if (!(flags & MAP_ANONYMOUS) && fstat(fd, &info) == 0) {
    char link[32], path[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path);
    m.offset = offset;
    m.device = info.st_dev;
    m.inode = info.st_ino;
    m.name = pages_.intern({path, n > 0 ? static_cast<std::size_t>(n) : 0});
  }
  insert_pages(start, end, m);
}

s64 GuestMemory::map_fixed(u64 start, u64 end, int prot, int flags, int fd, u64 offset) {
  const int type = flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE);
  const auto gaps = pages_.gaps(start, end);
  const bool all_new = gaps.size() == 1 && gaps[0] == std::pair(start, end);
  if (all_new || (flags & MAP_FIXED_NOREPLACE)) {
    const s64 r = host_result(
        mmap(pointer(start), end - start, host_prot(prot), type | MAP_FIXED_NOREPLACE, fd, static_cast<off_t>(offset)));
    return r == -EEXIST && !(flags & MAP_FIXED_NOREPLACE) ? -ENOMEM : r;
  }
  // Partly the guest's already: claim the rest without disturbing anybody, then replace the whole.
  constexpr int kReserve = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    if (mmap(pointer(gaps[i].first), gaps[i].second - gaps[i].first, PROT_NONE, kReserve, -1, 0) != MAP_FAILED)
      continue;
    while (i-- > 0) munmap(pointer(gaps[i].first), gaps[i].second - gaps[i].first);
    return -ENOMEM;
  }
  const s64 r =
      host_result(mmap(pointer(start), end - start, host_prot(prot), type | MAP_FIXED, fd, static_cast<off_t>(offset)));
  if (r < 0)
    for (const auto& [from, to] : gaps) munmap(pointer(from), to - from);
  return r;
}

s64 GuestMemory::map(u64 address, u64 size, int prot, int flags, int fd, u64 offset) {
  u64 end;
  if (size == 0 || !is_aligned(offset, kPageSize) || (prot & kProtMte)) return -EINVAL;
  if (!page_range(0, size, end)) return -ENOMEM;
  flags &= ~MAP_32BIT;
  const u64 bytes = end;
  const bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
  if (!fixed) {
    // A hint beyond 47 bits would ask a host with five-level paging for addresses the guest must not see.
    address = address > kAddressLimit - bytes ? 0 : align_down(address, kPageSize);
  } else if (!is_aligned(address, kPageSize)) {
    return -EINVAL;
  } else if (!page_range(address, size, end)) {
    return -ENOMEM;
  }
  std::lock_guard lock(operation_);
  const s64 r =
      fixed ? map_fixed(address, end, prot, flags, fd, offset)
            : host_result(mmap(pointer(address), bytes, host_prot(prot), flags, fd, static_cast<off_t>(offset)));
  if (r < 0) return r;
  const u64 start = static_cast<u64>(r);
  if (fixed) forget_code(start, start + bytes);
  record(start, start + bytes, prot, flags, fd, offset);
  return r;
}

s64 GuestMemory::unmap(u64 address, u64 size) {
  u64 end;
  if (!is_aligned(address, kPageSize) || size == 0 || !page_range(address, size, end)) return -EINVAL;
  std::lock_guard lock(operation_);
  for (const PageMap::Region& part : pages_.parts(address, end)) {
    const s64 r = host_result(munmap(pointer(part.start), part.end - part.start));
    if (r < 0) return r;
    forget_code(part.start, part.end);
    erase_pages(part.start, part.end);
  }
  return 0;
}

s64 GuestMemory::protect(u64 address, u64 size, int prot) {
  u64 end;
  const bool grows_down = prot & PROT_GROWSDOWN;
  prot &= ~PROT_GROWSDOWN;
  if (!is_aligned(address, kPageSize) || !valid_prot(prot)) return -EINVAL;
  if (size == 0) return 0;
  if (!page_range(address, size, end)) return -ENOMEM;
  if (grows_down) {
    // From the start of a mapping that grows downwards. The first stack is the only one the guest takes for that.
    if (address < stack_start_ || address >= stack_end_) return -EINVAL;
    address = stack_start_;
  }
  std::lock_guard lock(operation_);
  // Like Linux: mapped pages before the first hole change, then the hole is reported.
  const auto gaps = pages_.gaps(address, end);
  const u64 stop = gaps.empty() ? end : gaps.front().first;
  if (stop > address) {
    const s64 r = host_result(mprotect(pointer(address), stop - address, host_prot(prot)));
    if (r < 0) return r;
    forget_code(address, stop);
    protect_pages(address, stop, prot & kProtMask);
  }
  return gaps.empty() ? 0 : -ENOMEM;
}

s64 GuestMemory::remap(u64 old_address, u64 old_size, u64 new_size, int flags, u64 new_address) {
  u64 old_end, new_end;
  const bool fixed = flags & MREMAP_FIXED;
  if (!is_aligned(old_address, kPageSize) || new_size == 0 || (fixed && !is_aligned(new_address, kPageSize)))
    return -EINVAL;
  if (!page_range(old_address, old_size, old_end) || !page_range(fixed ? new_address : 0, new_size, new_end))
    return -EINVAL;
  std::lock_guard lock(operation_);
  const PageMap::Region* source = pages_.find(old_address);
  if (!source || !pages_.covers(old_address, old_end)) return -EFAULT;
  Mapping mapping = source->mapping;
  if (mapping.inode != 0) mapping.offset += old_address - source->start;

  std::vector<std::pair<u64, u64>> reserved;
  if (fixed) {
    constexpr int kReserve = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    for (const auto& [from, to] : pages_.gaps(new_address, new_end)) {
      if (mmap(pointer(from), to - from, PROT_NONE, kReserve, -1, 0) == MAP_FAILED) {
        for (const auto& [a, b] : reserved) munmap(pointer(a), b - a);
        return -ENOMEM;
      }
      reserved.emplace_back(from, to);
    }
  }
  const s64 r = host_result(mremap(pointer(old_address), old_size, new_size, flags, pointer(new_address)));
  if (r < 0) {
    for (const auto& [a, b] : reserved) munmap(pointer(a), b - a);
    return r;
  }
  const u64 start = static_cast<u64>(r), end = start + align_up(new_size, kPageSize);
  forget_code(old_address, old_end);
  if (fixed) forget_code(start, end);
  constexpr int kDontUnmap = 4;  // MREMAP_DONTUNMAP
  if (old_size != 0 && !(flags & kDontUnmap)) erase_pages(old_address, old_end);
  insert_pages(start, end, mapping);
  return r;
}

void GuestMemory::set_brk_start(u64 address) {
  std::lock_guard lock(operation_);
  brk_start_ = brk_ = address;
}

void GuestMemory::set_stack(u64 start, u64 end) {
  name_range(start, end, "[stack]");
  stack_start_ = start;
  stack_end_ = end;
}

s64 GuestMemory::brk(u64 address) {
  std::lock_guard lock(operation_);
  if (address < brk_start_ || address > kAddressLimit) return static_cast<s64>(brk_);
  const u64 old_end = align_up(brk_, kPageSize), new_end = align_up(address, kPageSize);
  if (new_end > old_end) {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (!pages_.parts(old_end, new_end).empty() ||
        mmap(pointer(old_end), new_end - old_end, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED)
      return static_cast<s64>(brk_);
    insert_pages(old_end, new_end, {.prot = PROT_READ | PROT_WRITE, .name = pages_.intern("[heap]")});
  } else if (new_end < old_end) {
    for (const PageMap::Region& part : pages_.parts(new_end, old_end))
      munmap(pointer(part.start), part.end - part.start);
    forget_code(new_end, old_end);
    erase_pages(new_end, old_end);
  }
  brk_ = address;
  return static_cast<s64>(brk_);
}

s64 GuestMemory::advise(u64 address, u64 size, int advice) {
  u64 end;
  if (!is_aligned(address, kPageSize)) return -EINVAL;
  if (!page_range(address, size, end)) return -EINVAL;
  std::lock_guard lock(operation_);
  if (size != 0 && !pages_.covers(address, end)) {
    // Linux advises the mapped parts and then reports the holes; ours may not be touched at all.
    for (const PageMap::Region& part : pages_.parts(address, end))
      if (madvise(pointer(part.start), part.end - part.start, advice) < 0) return -errno;
    return -ENOMEM;
  }
  return host_result(madvise(pointer(address), size, advice));
}

s64 GuestMemory::attach_shared(int id, u64 address, int flags) {
  shmid_ds info;
  if (shmctl(id, IPC_STAT, &info) < 0) return -errno;
  const u64 bytes = align_up(info.shm_segsz, kPageSize);
  std::lock_guard lock(operation_);
  const u64 start = flags & SHM_RND ? align_down(address, kPageSize) : address;
  // SHM_REMAP may replace only what is the guest's.
  if (address != 0 && (flags & SHM_REMAP) && !pages_.covers(start, start + bytes)) return -EINVAL;
  const s64 r = host_result(shmat(id, pointer(address), flags & ~SHM_EXEC));
  if (r < 0) return r;
  int prot = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
  if (flags & SHM_EXEC) prot |= PROT_EXEC;
  const u64 at = static_cast<u64>(r);
  forget_code(at, at + bytes);
  char name[32];
  std::snprintf(name, sizeof name, "/SYSV%08x", static_cast<unsigned>(info.shm_perm.__key));
  insert_pages(at, at + bytes,
               {.prot = prot, .shared = true, .name = pages_.intern(name), .inode = static_cast<ino_t>(id) + 1});
  return r;
}

s64 GuestMemory::detach_shared(u64 address) {
  std::lock_guard lock(operation_);
  const PageMap::Region* r = pages_.find(address);
  if (!r || r->start != address || !r->mapping.shared) return -EINVAL;
  const u64 end = r->end;
  if (shmdt(pointer(address)) < 0) return -errno;
  forget_code(address, end);
  erase_pages(address, end);
  return 0;
}

void GuestMemory::name_range(u64 start, u64 end, std::string_view name) {
  std::lock_guard lock(operation_);
  const u32 index = pages_.intern(name);
  for (PageMap::Region part : pages_.parts(start, end)) {
    part.mapping.name = index;
    insert_pages(part.start, part.end, part.mapping);
  }
}

bool GuestMemory::owns(u64 address, u64 size) {
  u64 end;
  if (!page_range(align_down(address, kPageSize), size + (address & (kPageSize - 1)), end)) return false;
  std::lock_guard lock(pages_mutex_);
  return pages_.covers(align_down(address, kPageSize), end);
}

GuestMemory::Reach GuestMemory::reach(u64 address, int prot) {
  std::lock_guard lock(pages_mutex_);
  const PageMap::Region* r = pages_.find(address);
  if (!r) return Reach::Unmapped;
  // An executable page is readable here as well, see host_prot.
  const int granted = r->mapping.prot & PROT_EXEC ? r->mapping.prot | PROT_READ : r->mapping.prot;
  return (granted & prot) == prot ? Reach::Allowed : Reach::Denied;
}

std::vector<GuestMemory::Listed> GuestMemory::list() {
  std::lock_guard lock(pages_mutex_);
  std::vector<Listed> out;
  for (const PageMap::Region& r : pages_.parts(0, ~u64{0}))
    out.push_back({r.start, r.end, r.mapping, pages_.name(r.mapping.name)});
  return out;
}

}  // namespace tiercel::user
