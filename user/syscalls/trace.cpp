#include "user/syscalls/trace.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "user/syscalls/guest_access.h"
#include "user/syscalls/guest_path.h"

namespace tiercel::user {

namespace {

struct Name {
  u64 value;
  const char* name;
};

constexpr Name kProt[] = {{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}, {0x10, "PROT_BTI"}};
constexpr Name kMap[] = {{MAP_SHARED, "MAP_SHARED"},       {MAP_PRIVATE, "MAP_PRIVATE"},
                         {MAP_FIXED, "MAP_FIXED"},         {MAP_ANONYMOUS, "MAP_ANONYMOUS"},
                         {MAP_NORESERVE, "MAP_NORESERVE"}, {MAP_STACK, "MAP_STACK"},
                         {MAP_DENYWRITE, "MAP_DENYWRITE"}, {MAP_POPULATE, "MAP_POPULATE"},
                         {MAP_GROWSDOWN, "MAP_GROWSDOWN"}, {MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"}};
// arm64 values
constexpr Name kOpen[] = {{1, "O_WRONLY"},          {2, "O_RDWR"},
                          {O_CREAT, "O_CREAT"},     {O_EXCL, "O_EXCL"},
                          {O_NOCTTY, "O_NOCTTY"},   {O_TRUNC, "O_TRUNC"},
                          {O_APPEND, "O_APPEND"},   {O_NONBLOCK, "O_NONBLOCK"},
                          {O_DSYNC, "O_DSYNC"},     {040000, "O_DIRECTORY"},
                          {0100000, "O_NOFOLLOW"},  {0200000, "O_DIRECT"},
                          {0400000, "O_LARGEFILE"}, {O_CLOEXEC, "O_CLOEXEC"},
                          {O_PATH, "O_PATH"},       {020000000, "O_TMPFILE"}};
constexpr Name kClone[] = {{CLONE_VM, "CLONE_VM"},
                           {CLONE_FS, "CLONE_FS"},
                           {CLONE_FILES, "CLONE_FILES"},
                           {CLONE_SIGHAND, "CLONE_SIGHAND"},
                           {CLONE_VFORK, "CLONE_VFORK"},
                           {CLONE_THREAD, "CLONE_THREAD"},
                           {CLONE_NEWNS, "CLONE_NEWNS"},
                           {CLONE_SYSVSEM, "CLONE_SYSVSEM"},
                           {CLONE_SETTLS, "CLONE_SETTLS"},
                           {CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID"},
                           {CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID"},
                           {CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID"},
                           {CLONE_NEWUSER, "CLONE_NEWUSER"},
                           {CLONE_NEWPID, "CLONE_NEWPID"},
                           {CLONE_NEWNET, "CLONE_NEWNET"}};
constexpr Name kFutex[] = {{0, "FUTEX_WAIT"},        {1, "FUTEX_WAKE"},        {3, "FUTEX_REQUEUE"},
                           {4, "FUTEX_CMP_REQUEUE"}, {5, "FUTEX_WAKE_OP"},     {6, "FUTEX_LOCK_PI"},
                           {7, "FUTEX_UNLOCK_PI"},   {9, "FUTEX_WAIT_BITSET"}, {10, "FUTEX_WAKE_BITSET"}};
constexpr Name kFamily[] = {
    {AF_UNIX, "AF_UNIX"}, {AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"}, {AF_NETLINK, "AF_NETLINK"}};
constexpr Name kSocketType[] = {{1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {5, "SOCK_SEQPACKET"}};
constexpr Name kWhence[] = {{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}};
constexpr Name kHow[] = {{0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}};
constexpr Name kClock[] = {{0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},     {2, "CLOCK_PROCESS_CPUTIME_ID"},
                           {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
                           {6, "CLOCK_MONOTONIC_COARSE"},  {7, "CLOCK_BOOTTIME"}};
constexpr Name kEpoll[] = {{1, "EPOLL_CTL_ADD"}, {2, "EPOLL_CTL_DEL"}, {3, "EPOLL_CTL_MOD"}};
constexpr Name kFcntl[] = {{0, "F_DUPFD"},  {1, "F_GETFD"},  {2, "F_SETFD"},           {3, "F_GETFL"},
                           {4, "F_SETFL"},  {5, "F_GETLK"},  {6, "F_SETLK"},           {7, "F_SETLKW"},
                           {8, "F_SETOWN"}, {9, "F_GETOWN"}, {1030, "F_DUPFD_CLOEXEC"}};
constexpr Name kAdvice[] = {{0, "MADV_NORMAL"},      {3, "MADV_WILLNEED"},  {4, "MADV_DONTNEED"},
                            {8, "MADV_FREE"},        {10, "MADV_DONTFORK"}, {14, "MADV_HUGEPAGE"},
                            {15, "MADV_NOHUGEPAGE"}, {16, "MADV_DONTDUMP"}};
constexpr Name kIoctl[] = {{0x5401, "TCGETS"},    {0x5402, "TCSETS"},    {0x5403, "TCSETSW"},    {0x5404, "TCSETSF"},
                           {0x540f, "TIOCGPGRP"}, {0x5410, "TIOCSPGRP"}, {0x5413, "TIOCGWINSZ"}, {0x5414, "TIOCSWINSZ"},
                           {0x541b, "FIONREAD"},  {0x5421, "FIONBIO"},   {0x5450, "FIONCLEX"},   {0x5451, "FIOCLEX"}};

std::string one_of(std::span<const Name> names, u64 value) {
  for (const Name& n : names)
    if (n.value == value) return n.name;
  return fmt::format("{:#x}", value);
}

std::string flags_of(std::span<const Name> names, u64 value, const char* zero) {
  std::string text;
  for (const Name& n : names)
    if ((value & n.value) == n.value && n.value != 0)
      text += fmt::format("{}{}", text.empty() ? "" : "|", n.name), value &= ~n.value;
  if (value != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", value);
  return text.empty() ? zero : text;
}

std::string quoted(const std::string& bytes, bool cut) {
  std::string text = "\"";
  for (const char ch : bytes) {
    const u8 b = static_cast<u8>(ch);
    if (ch == '"' || ch == '\\')
      text += '\\', text += ch;
    else if (ch == '\n')
      text += "\\n";
    else if (ch == '\t')
      text += "\\t";
    else if (b >= 32 && b < 127)
      text += ch;
    else
      text += fmt::format("\\x{:02x}", b);
  }
  return text + (cut ? "\"..." : "\"");
}

std::string string_at(u64 address) {
  std::string text;
  if (address == 0) return "NULL";
  return read_guest_string(address, text) == 0 ? quoted(text, false) : fmt::format("{:#x}", address);
}

std::string bytes_at(u64 address, u64 size) {
  constexpr u64 kShown = 32;
  std::string bytes(size < kShown ? size : kShown, '\0');
  if (engine::guarded_copy(bytes.data(), reinterpret_cast<const void*>(address), bytes.size()) != 0)
    return fmt::format("{:#x}", address);
  return quoted(bytes, size > kShown);
}

std::string strings_at(u64 address) {
  constexpr int kShown = 16;
  std::string text = "[";
  for (int i = 0; i < kShown; ++i, address += sizeof(u64)) {
    u64 pointer;
    if (!read_guest(address, pointer) || pointer == 0) return text + "]";
    if (i != 0) text += ", ";
    text += string_at(pointer);
  }
  return text + ", ...]";
}

std::string signal_name(u64 signal) {
  const char* name = signal < 32 ? sigabbrev_np(static_cast<int>(signal)) : nullptr;
  return name ? fmt::format("SIG{}", name) : fmt::format("{}", signal);
}

std::string signals_at(u64 address) {
  u64 set;
  if (address == 0) return "NULL";
  if (!read_guest(address, set)) return fmt::format("{:#x}", address);
  std::string text = "[";
  for (int s = 1; s <= 64; ++s)
    if (set >> (s - 1) & 1) text += fmt::format("{}{}", text.size() > 1 ? " " : "", signal_name(static_cast<u64>(s)));
  return text + "]";
}

std::string time_at(u64 address) {
  timespec t;
  if (address == 0) return "NULL";
  if (!read_guest(address, t)) return fmt::format("{:#x}", address);
  return fmt::format("{{{}.{:09}}}", t.tv_sec, t.tv_nsec);
}

std::string argument(char kind, const SystemCall& c, std::size_t i) {
  const u64 value = c.args[i];
  const s32 number = static_cast<s32>(value);
  switch (kind) {
    case 'i':
      return fmt::format("{}", static_cast<s64>(value));
    case 'f':
      return fmt::format("{}", number);
    case 'a':
      return number == AT_FDCWD ? "AT_FDCWD" : fmt::format("{}", number);
    case 'u':
      return fmt::format("{}", value);
    case 'x':
      return fmt::format("{:#x}", value);
    case 'p':
      return value == 0 ? "NULL" : fmt::format("{:#x}", value);
    case 's':
      return string_at(value);
    case 'b':
      return i + 1 < 6 ? bytes_at(value, c.args[i + 1]) : fmt::format("{:#x}", value);
    case 'v':
      return strings_at(value);
    case 'm':
      return fmt::format("{:#o}", value);
    case 'o':
      return flags_of(kOpen, value, "O_RDONLY");
    case 'M':
      return flags_of(kProt, value, "PROT_NONE");
    case 'F':
      return flags_of(kMap, value, "0");
    case 'c':
      return flags_of(kClone, value & ~u64{0xff}, "0") + "|" + signal_name(value & 0xff);
    case 'g':
      return signal_name(value);
    case 'q':
      return signals_at(value);
    case 't':
      return time_at(value);
    case 'h':
      return one_of(kHow, value);
    case 'k':
      return one_of(kClock, value);
    case 'e':
      return one_of(kFutex, value & 0x7f) + (value & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "");
    case 'S':
      return one_of(kFamily, value);
    case 'T':
      return one_of(kSocketType, value & 15);
    case 'w':
      return one_of(kWhence, value);
    case 'E':
      return one_of(kEpoll, value);
    case 'C':
      return one_of(kFcntl, value);
    case 'd':
      return one_of(kAdvice, value);
    case 'n':
      return one_of(kIoctl, value & 0xffffffff);
    default:
      return "?";
  }
}

}  // namespace

std::string describe_call(const SystemCallRow& row, const SystemCall& call) {
  std::string text = row.name ? row.name : fmt::format("system_call_{}", call.number);
  text += '(';
  const char* format = row.name ? row.format : "xxxxxx";
  for (std::size_t i = 0; i < 6 && format[i] != '\0'; ++i) {
    if (i != 0) text += ", ";
    text += argument(format[i], call, i);
  }
  return text + ')';
}

std::string describe_result(const SystemCallRow& row, const SystemCall& call, s64 result) {
  static_cast<void>(call);
  if (result == kRestart) return " = ? (starts again after a signal)";
  if (result == kResultIsSet) return " = ?";
  if (result < 0 && result > -4096) {
    const char* name = strerrorname_np(static_cast<int>(-result));
    std::string text = fmt::format(" = -1 {} ({})", name ? name : "?", std::strerror(static_cast<int>(-result)));
    if (row.cls == CallClass::Refuse) text += " [refused]";
    return text;
  }
  const std::string_view name = row.name ? row.name : "";
  const bool address = name == "mmap" || name == "brk" || name == "mremap" || name == "shmat";
  return address ? fmt::format(" = {:#x}", static_cast<u64>(result)) : fmt::format(" = {}", result);
}

bool may_end_process(const SystemCallRow& row) {
  constexpr std::string_view kNames[] = {"exit",  "exit_group", "execve",          "execveat",         "kill",
                                         "tkill", "tgkill",     "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
  return row.name && std::find(std::begin(kNames), std::end(kNames), row.name) != std::end(kNames);
}

}  // namespace tiercel::user
