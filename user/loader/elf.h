// ELF64 for AArch64, read from hostile bytes. System V gABI, "Object Files" and "Program Loading"; AAELF64.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "user/memory/page_map.h"

namespace tiercel::user {

/// A file's bytes by offset.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual u64 size() const = 0;
  /// Fills `out` completely from `offset`, or returns false.
  virtual bool read_at(u64 offset, std::span<u8> out) const = 0;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const u8> bytes) : bytes_(bytes) {}
  u64 size() const override { return bytes_.size(); }
  bool read_at(u64 offset, std::span<u8> out) const override;

 private:
  std::span<const u8> bytes_;
};

class FileSource final : public ByteSource {
 public:
  /// `fd` stays the caller's.
  FileSource(int fd, u64 size) : fd_(fd), size_(size) {}
  u64 size() const override { return size_; }
  bool read_at(u64 offset, std::span<u8> out) const override;

 private:
  int fd_;
  u64 size_;
};

/// A PT_LOAD entry that passed every check: no overflow, inside the file, below kAddressLimit, ascending, disjoint.
struct Segment {
  u64 vaddr;
  u64 memory_size;
  u64 offset;
  u64 file_size;
  bool read, write, execute;
};

struct ElfImage {
  bool position_independent = false;  // ET_DYN
  u64 entry = 0;
  u64 header_table_vaddr = 0;  // AT_PHDR before the load bias
  u16 header_count = 0;
  bool executable_stack = false;  // PT_GNU_STACK asks for it; without that header arm64 Linux makes none
  std::vector<Segment> segments;
  std::string interpreter;  // empty: static
  u64 low = 0, high = 0;    // page-aligned extent of the segments
  u64 alignment = 0;        // the largest p_align, at least a page
};

/// What the first bytes of a file say it is.
enum class FileKind { Elf, Script, HostElf, ForeignElf, Unknown };
FileKind classify(std::span<const u8> head);

/// `name` is for messages only. Total: any bytes give an image or an error whose code is the errno execve would give.
Result<ElfImage> parse_elf(const ByteSource& file, const std::string& name);

/// The `#!` line of a script: interpreter and at most one argument, as Linux splits it. Linux fs/binfmt_script.c
/// documents the rule: everything after the first blank run is one argument, trailing blanks dropped.
struct ScriptLine {
  std::string interpreter;
  std::string argument;
};
Result<ScriptLine> parse_script_line(std::span<const u8> head, const std::string& name);

}  // namespace tiercel::user
