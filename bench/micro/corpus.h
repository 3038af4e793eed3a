// Guest code for the micro benchmarks: the text of a real AArch64 program, one of the cross-built kernels.
#pragma once

#include <elf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "guest/frontend.h"

namespace tiercel::bench {

/// The largest executable PT_LOAD segment of a static ELF file, at its own addresses. Ends the program with a message
/// when there is none.
class Corpus final : public guest::CodeReader {
 public:
  explicit Corpus(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    file_.assign(std::istreambuf_iterator<char>(file), {});
    Elf64_Ehdr header;
    if (file_.size() < sizeof header) fail(path, "cannot be read; build the target bench-kernels first");
    std::memcpy(&header, file_.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      const u64 at = header.e_phoff + u64{i} * sizeof segment;
      if (at + sizeof segment > file_.size()) fail(path, "has a truncated program header table");
      std::memcpy(&segment, file_.data() + at, sizeof segment);
      if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X) || segment.p_filesz < text_.size()) continue;
      if (segment.p_offset + segment.p_filesz > file_.size()) fail(path, "has a truncated segment");
      text_ = std::span(reinterpret_cast<const u8*>(file_.data()) + segment.p_offset, segment.p_filesz & ~u64{3});
      start_ = segment.p_vaddr;
    }
    if (text_.empty()) fail(path, "has no executable segment");
  }

  u64 start() const { return start_; }
  u64 end() const { return start_ + text_.size(); }

  std::span<const u8> window(VAddr pc) override {
    const u64 address = pc.value;
    if (address < start_ || address >= end()) return {};
    const u64 page_end = (address | 4095) + 1;
    return text_.subspan(address - start_, (page_end < end() ? page_end : end()) - address);
  }

 private:
  [[noreturn]] static void fail(const std::string& path, const char* what) {
    std::fprintf(stderr, "%s %s\n", path.c_str(), what);
    std::exit(2);
  }

  std::vector<char> file_;
  std::span<const u8> text_;
  u64 start_ = 0;
};

}  // namespace tiercel::bench
