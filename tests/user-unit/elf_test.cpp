#include "user/loader/elf.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "base/bits.h"
#include "tests/user-unit/elf_bytes.h"

namespace tiercel::user {
namespace {

Result<ElfImage> parse(const std::vector<u8>& bytes) {
  return parse_elf(MemorySource(bytes), "prog");
}

/// The message for the sample after `damage`.
template <typename Damage>
std::string complaint(Damage damage) {
  ElfParts parts = sample_parts();
  damage(parts);
  const auto image = parse(sample_bytes(parts));
  return image ? "accepted" : image.error().message;
}

TEST(Elf, AcceptsTheSample) {
  const auto image = parse(sample_bytes());
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_FALSE(image->position_independent);
  EXPECT_EQ(image->entry, kTextAddress + 0x200);
  EXPECT_EQ(image->interpreter, "/lib/ld-linux-aarch64.so.1");
  EXPECT_EQ(image->header_table_vaddr, kTextAddress + 64);
  ASSERT_EQ(image->segments.size(), 2u);
  EXPECT_TRUE(image->segments[0].execute);
  EXPECT_TRUE(image->segments[1].write);
  EXPECT_EQ(image->low, kTextAddress);
  EXPECT_EQ(image->high, kDataAddress + 0x2000);
}

TEST(Elf, SaysWhatIsWrong) {
  using P = ElfParts;
  EXPECT_EQ(complaint([](P& p) { p.header.e_ident[0] = 'X'; }), "prog: not an ELF program (bad magic)");
  EXPECT_EQ(complaint([](P& p) { p.header.e_ident[EI_CLASS] = ELFCLASS32; }),
            "prog: a 32-bit ELF program; only 64-bit AArch64 programs can run");
  EXPECT_EQ(complaint([](P& p) { p.header.e_ident[EI_DATA] = ELFDATA2MSB; }),
            "prog: a big-endian ELF program; only little-endian can run");
  EXPECT_EQ(complaint([](P& p) { p.header.e_machine = EM_RISCV; }), "prog: built for RISC-V, not for AArch64");
  EXPECT_EQ(complaint([](P& p) { p.header.e_machine = 4711; }),
            "prog: built for machine number 4711, not for AArch64 (183)");
  EXPECT_EQ(complaint([](P& p) { p.header.e_type = ET_REL; }), "prog: an object file, not a linked program");
  EXPECT_EQ(complaint([](P& p) { p.header.e_phnum = 0; }), "prog: no program headers: nothing to load");
  EXPECT_EQ(complaint([](P& p) { p.header.e_phnum = 2000; }), "prog: 2000 program headers are too many");
  EXPECT_EQ(complaint([](P& p) { p.header.e_phoff = ~u64{0}; }),
            "prog: truncated: the program header table at 0xffffffffffffffff ends beyond the file (4352 bytes)");
  EXPECT_EQ(complaint([](P& p) { p.table[1].p_vaddr = kTextAddress; }),
            "prog: segment 1 at 0x400000 overlaps or precedes the segment at 0x400000");
  EXPECT_EQ(complaint([](P& p) { p.table[1].p_filesz = 0x3000; }),
            "prog: segment 1 at 0x411000: file size 0x3000 exceeds memory size 0x2000");
  EXPECT_EQ(complaint([](P& p) { p.table[1].p_filesz = 0x200; }),
            "prog: truncated: segment 1 at 0x411000 needs bytes 0x1000 to 0x1200, the file has 0x1100");
  EXPECT_EQ(complaint([](P& p) { p.table[1].p_memsz = u64{1} << 60; }),
            "prog: segment 1 at 0x411000: memory size 0x1000000000000000 reaches beyond the address space");
  EXPECT_EQ(complaint([](P& p) {
              p.table[1].p_offset = 0x1010;
              p.table[1].p_filesz = 0x10;
            }),
            "prog: segment 1 at 0x411000: address and file offset 0x1010 differ within the page");
  EXPECT_EQ(complaint([](P& p) { p.table[0].p_align = 0x3000; }),
            "prog: segment 0 at 0x400000: alignment 0x3000 is not a power of two");
  EXPECT_EQ(complaint([](P& p) { p.header.e_entry = 0; }), "prog: the entry point 0x0 is not in an executable segment");
  EXPECT_EQ(complaint([](P& p) { p.table[2].p_filesz = 1 << 20; }),
            "prog: the interpreter path has an absurd length of 1048576 bytes");
  EXPECT_EQ(complaint([](P& p) { p.table[2].p_filesz = 10; }), "prog: the interpreter path is not terminated");
}

TEST(Elf, EveryTruncationIsRefused) {
  const std::vector<u8> whole = sample_bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<u8> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto image = parse(part);
    ASSERT_FALSE(image) << size;
    EXPECT_EQ(image.error().code, ENOEXEC);
    EXPECT_EQ(image.error().message.find('\n'), std::string::npos);
  }
}

TEST(Elf, TenThousandMutations) {
  std::mt19937 random(20);
  for (int round = 0; round < 10000; ++round) {
    std::vector<u8> bytes = sample_bytes();
    const int changes = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = random() % (random() % 2 ? sizeof(ElfParts) : bytes.size());
      bytes[at] = static_cast<u8>(random() % 3 == 0 ? 0xff : random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto image = parse(bytes);
    if (!image) {
      ASSERT_FALSE(image.error().message.empty());
      continue;
    }
    ASSERT_LE(image->high, align_up(kAddressLimit, kPageSize));
    u64 end = 0;
    for (const Segment& s : image->segments) {
      ASSERT_GE(s.vaddr, end);
      ASSERT_LE(s.file_size, s.memory_size);
      ASSERT_LE(s.offset + s.file_size, bytes.size());
      end = s.vaddr + s.memory_size;
    }
  }
}

TEST(Elf, Classifies) {
  std::vector<u8> bytes = sample_bytes();
  EXPECT_EQ(classify(bytes), FileKind::Elf);
  bytes[18] = EM_X86_64;
  EXPECT_EQ(classify(bytes), FileKind::HostElf);
  bytes[18] = EM_PPC64;
  EXPECT_EQ(classify(bytes), FileKind::ForeignElf);
  EXPECT_EQ(classify(std::vector<u8>{'#', '!', '/'}), FileKind::Script);
  EXPECT_EQ(classify({}), FileKind::Unknown);
}

Result<ScriptLine> script(std::string_view text) {
  return parse_script_line({reinterpret_cast<const u8*>(text.data()), text.size()}, "prog");
}

TEST(Script, SplitsAsLinuxDoes) {
  EXPECT_EQ(script("#!/bin/sh\n")->interpreter, "/bin/sh");
  EXPECT_EQ(script("#!/bin/sh\n")->argument, "");
  EXPECT_EQ(script("#! /usr/bin/env  python3 -u \nx")->interpreter, "/usr/bin/env");
  EXPECT_EQ(script("#! /usr/bin/env  python3 -u \nx")->argument, "python3 -u");
  EXPECT_EQ(script("#!/bin/sh")->interpreter, "/bin/sh");
  EXPECT_FALSE(script("#!\n"));
  EXPECT_FALSE(script("#!  "));
  EXPECT_FALSE(script("#!" + std::string(254, 'x')));
}

}  // namespace
}  // namespace tiercel::user
