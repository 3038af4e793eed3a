// A small well-formed AArch64 program as bytes, for tests that damage it.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/types.h"

namespace tiercel::user {

struct ElfParts {
  Elf64_Ehdr header;
  Elf64_Phdr table[3];  // text, data with bss, interpreter
};

inline constexpr u64 kTextAddress = 0x400000, kDataAddress = 0x411000;

inline ElfParts sample_parts() {
  ElfParts p{};
  std::memcpy(p.header.e_ident, ELFMAG, SELFMAG);
  p.header.e_ident[EI_CLASS] = ELFCLASS64;
  p.header.e_ident[EI_DATA] = ELFDATA2LSB;
  p.header.e_ident[EI_VERSION] = EV_CURRENT;
  p.header.e_type = ET_EXEC;
  p.header.e_machine = EM_AARCH64;
  p.header.e_version = EV_CURRENT;
  p.header.e_entry = kTextAddress + 0x200;
  p.header.e_phoff = sizeof(Elf64_Ehdr);
  p.header.e_ehsize = sizeof(Elf64_Ehdr);
  p.header.e_phentsize = sizeof(Elf64_Phdr);
  p.header.e_phnum = 3;
  p.table[0] = {PT_LOAD, PF_R | PF_X, 0, kTextAddress, kTextAddress, 0x1000, 0x1000, 0x1000};
  p.table[1] = {PT_LOAD, PF_R | PF_W, 0x1000, kDataAddress, kDataAddress, 0x100, 0x2000, 0x1000};
  p.table[2] = {PT_INTERP, PF_R, 0x300, kTextAddress + 0x300, kTextAddress + 0x300, 28, 28, 1};
  return p;
}

inline std::vector<u8> sample_bytes(const ElfParts& parts = sample_parts()) {
  std::vector<u8> bytes(0x1100);
  std::memcpy(bytes.data(), &parts, sizeof parts);
  std::memcpy(bytes.data() + 0x300, "/lib/ld-linux-aarch64.so.1\0", 28);
  return bytes;
}

}  // namespace tiercel::user
