#include "user/syscalls/proc_files.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "user/process.h"
#include "user/syscalls/guest_access.h"

namespace tiercel::user {

namespace {

/// A read-only descriptor on `text`, positioned at its start.
s64 serve_text(const std::string& text, u64 host_flags) {
  const int fd = memfd_create("proc", host_flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
  if (fd < 0) return -errno;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n <= 0) {
      const int error = errno;
      close(fd);
      return -error;
    }
    done += static_cast<std::size_t>(n);
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

std::string mapping_line(const GuestMemory::Listed& m) {
  std::string line = fmt::format("{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} ", m.start, m.end,
                                 m.mapping.prot & PROT_READ ? 'r' : '-', m.mapping.prot & PROT_WRITE ? 'w' : '-',
                                 m.mapping.prot & PROT_EXEC ? 'x' : '-', m.mapping.shared ? 's' : 'p', m.mapping.offset,
                                 major(m.mapping.device), minor(m.mapping.device), m.mapping.inode);
  if (!m.name.empty()) {
    if (line.size() < 73) line.append(73 - line.size(), ' ');
    line += m.name;
  }
  return line + '\n';
}

std::string maps(Thread& t) {
  std::string text;
  for (GuestMemory::Listed m : t.process().memory().list()) {
    m.name = t.process().paths().guest_view(m.name);
    text += mapping_line(m);
  }
  return text;
}

std::string host_file(const char* path) {
  std::string text;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[16384];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return text;
}

/// The host's smaps without our own mappings. A host mapping may join several of the guest's; it is shown as the first.
std::string smaps(Thread& t) {
  const auto guest = t.process().memory().list();
  const std::string host = host_file("/proc/self/smaps");
  std::string text;
  bool ours = true;
  std::size_t next = 0;
  for (std::size_t at = 0; at < host.size();) {
    std::size_t end = host.find('\n', at);
    if (end == std::string::npos) end = host.size();
    const std::string line = host.substr(at, end - at);
    at = end + 1;
    unsigned long long from, to;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &from, &to) == 2 && line.find('-') < 17) {
      while (next < guest.size() && guest[next].end <= from) ++next;
      ours = next == guest.size() || guest[next].start >= to;
      if (ours) continue;
      GuestMemory::Listed shown = guest[next];
      shown.start = from;
      shown.end = to;
      shown.name = t.process().paths().guest_view(shown.name);
      text += mapping_line(shown);
    } else if (!ours) {
      text += line + '\n';
    }
  }
  return text;
}

std::string guest_bytes(u64 begin, u64 end) {
  std::string text(end - begin, '\0');
  const std::size_t missing = engine::guarded_copy(text.data(), reinterpret_cast<const void*>(begin), text.size());
  text.resize(text.size() - missing);
  return text;
}

/// The machine of the ID registers that EL0 reads: see frontend-arm.
std::string cpu_info() {
  cpu_set_t set;
  const int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format(
        "processor\t: {}\nBogoMIPS\t: 100.00\n"
        "Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics cpuid asimdrdm\n"
        "CPU implementer\t: 0x00\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0x000\nCPU revision\t: 0\n\n",
        i);
  return text;
}

bool writes(u64 flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_PATH);
}

}  // namespace

s64 open_own_proc_file(Thread& t, const char* entry, u64 flags) {
  if (writes(flags)) return -ENOSYS;
  const LoadedProgram& program = t.process().program();
  if (std::strncmp(entry, "task/", 5) == 0) {
    const char* file = std::strchr(entry + 5, '/');
    if (!file) return -ENOSYS;
    entry = file + 1;
  }
  const std::string_view name(entry);
  if (name == "maps") return serve_text(maps(t), flags);
  if (name == "smaps") return serve_text(smaps(t), flags);
  if (name == "cmdline") return serve_text(guest_bytes(program.arguments_begin, program.arguments_end), flags);
  if (name == "environ") return serve_text(guest_bytes(program.environment_begin, program.environment_end), flags);
  if (name == "auxv") {
    const auto& words = program.auxiliary;
    return serve_text({reinterpret_cast<const char*>(words.data()), words.size() * sizeof words[0]}, flags);
  }
  return -ENOSYS;
}

s64 open_machine_file(const char* path, u64 flags) {
  if (writes(flags) || std::strcmp(path, "/proc/cpuinfo") != 0) return -ENOSYS;
  return serve_text(cpu_info(), flags);
}

}  // namespace tiercel::user
