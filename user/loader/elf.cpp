#include "user/loader/elf.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/bits.h"

namespace tiercel::user {

bool MemorySource::read_at(u64 offset, std::span<u8> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return true;
}

bool FileSource::read_at(u64 offset, std::span<u8> out) const {
  if (offset > size_ || out.size() > size_ - offset) return false;
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

FileKind classify(std::span<const u8> head) {
  if (head.size() >= 2 && head[0] == '#' && head[1] == '!') return FileKind::Script;
  if (head.size() < 20 || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) return FileKind::Unknown;
  const unsigned machine = head[18] | head[19] << 8;
  if (head[EI_CLASS] == ELFCLASS64 && head[EI_DATA] == ELFDATA2LSB) {
    if (machine == EM_AARCH64) return FileKind::Elf;
    if (machine == EM_X86_64) return FileKind::HostElf;
  }
  return FileKind::ForeignElf;
}

namespace {

constexpr u64 kMaxHeaderTable = 65536;  // Linux refuses longer program header tables too
constexpr u64 kMaxInterpreter = 4096;   // PATH_MAX

const char* machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "32-bit Arm";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit PowerPC";
    case EM_PPC:
      return "32-bit PowerPC";
    case EM_MIPS:
      return "MIPS";
    case EM_S390:
      return "IBM Z";
    case EM_LOONGARCH:
      return "LoongArch";
    case EM_SPARCV9:
      return "SPARC";
    default:
      return nullptr;
  }
}

tl::unexpected<Error> bad(const std::string& name, std::string what) {
  return fail(ENOEXEC, fmt::format("{}: {}", name, what));
}

/// Class, byte order, machine, type: everything that says "this is for somebody else".
Result<void> check_identity(const Elf64_Ehdr& h, const std::string& name) {
  if (std::memcmp(h.e_ident, ELFMAG, SELFMAG) != 0) return bad(name, "not an ELF program (bad magic)");
  if (h.e_ident[EI_CLASS] == ELFCLASS32) return bad(name, "a 32-bit ELF program; only 64-bit AArch64 programs can run");
  if (h.e_ident[EI_CLASS] != ELFCLASS64) return bad(name, fmt::format("invalid ELF class {}", h.e_ident[EI_CLASS]));
  if (h.e_ident[EI_DATA] == ELFDATA2MSB) return bad(name, "a big-endian ELF program; only little-endian can run");
  if (h.e_ident[EI_DATA] != ELFDATA2LSB) return bad(name, fmt::format("invalid ELF byte order {}", h.e_ident[EI_DATA]));
  if (h.e_ident[EI_VERSION] != EV_CURRENT)
    return bad(name, fmt::format("unknown ELF version {}", h.e_ident[EI_VERSION]));
  if (h.e_machine != EM_AARCH64) {
    const char* machine = machine_name(h.e_machine);
    return bad(name, machine ? fmt::format("built for {}, not for AArch64", machine)
                             : fmt::format("built for machine number {}, not for AArch64 (183)", h.e_machine));
  }
  if (h.e_type == ET_REL) return bad(name, "an object file, not a linked program");
  if (h.e_type == ET_CORE) return bad(name, "a core dump, not a program");
  if (h.e_type != ET_EXEC && h.e_type != ET_DYN) return bad(name, fmt::format("unknown ELF type {}", h.e_type));
  return {};
}

Result<std::vector<Elf64_Phdr>> read_headers(const ByteSource& file, const Elf64_Ehdr& h, const std::string& name) {
  if (h.e_phentsize != sizeof(Elf64_Phdr))
    return bad(name, fmt::format("program header entries of {} bytes, expected {}", h.e_phentsize, sizeof(Elf64_Phdr)));
  if (h.e_phnum == 0) return bad(name, "no program headers: nothing to load");
  const u64 bytes = u64{h.e_phnum} * sizeof(Elf64_Phdr);
  if (bytes > kMaxHeaderTable) return bad(name, fmt::format("{} program headers are too many", h.e_phnum));
  std::vector<Elf64_Phdr> table(h.e_phnum);
  if (!file.read_at(h.e_phoff, {reinterpret_cast<u8*>(table.data()), bytes}))
    return bad(name, fmt::format("truncated: the program header table at {:#x} ends beyond the file ({} bytes)",
                                 h.e_phoff, file.size()));
  return table;
}

Result<void> check_segment(const Elf64_Phdr& p, const ByteSource& file, const std::string& name,
                           const ElfImage& image) {
  const auto where = [&] { return fmt::format("segment {} at {:#x}", image.segments.size(), p.p_vaddr); };
  if (p.p_filesz > p.p_memsz)
    return bad(name, fmt::format("{}: file size {:#x} exceeds memory size {:#x}", where(), p.p_filesz, p.p_memsz));
  if (p.p_vaddr > kAddressLimit || p.p_memsz > kAddressLimit - p.p_vaddr)
    return fail(ENOMEM,
                fmt::format("{}: {}: memory size {:#x} reaches beyond the address space", name, where(), p.p_memsz));
  if (p.p_filesz != 0 && (p.p_offset > file.size() || p.p_filesz > file.size() - p.p_offset))
    return bad(name, fmt::format("truncated: {} needs bytes {:#x} to {:#x}, the file has {:#x}", where(), p.p_offset,
                                 p.p_offset + p.p_filesz, file.size()));
  if ((p.p_vaddr ^ p.p_offset) & (kPageSize - 1))
    return bad(name, fmt::format("{}: address and file offset {:#x} differ within the page", where(), p.p_offset));
  if (p.p_align > 1 && (p.p_align & (p.p_align - 1)) != 0)
    return bad(name, fmt::format("{}: alignment {:#x} is not a power of two", where(), p.p_align));
  if (!image.segments.empty()) {
    const Segment& last = image.segments.back();
    if (p.p_vaddr < last.vaddr + last.memory_size)
      return bad(name, fmt::format("{} overlaps or precedes the segment at {:#x}", where(), last.vaddr));
  }
  return {};
}

void add_segment(const Elf64_Phdr& p, ElfImage& image) {
  image.segments.push_back({.vaddr = p.p_vaddr,
                            .memory_size = p.p_memsz,
                            .offset = p.p_offset,
                            .file_size = p.p_filesz,
                            .read = (p.p_flags & PF_R) != 0,
                            .write = (p.p_flags & PF_W) != 0,
                            .execute = (p.p_flags & PF_X) != 0});
  image.alignment = std::max<u64>(image.alignment, p.p_align);
}

Result<std::string> read_interpreter(const Elf64_Phdr& p, const ByteSource& file, const std::string& name) {
  if (p.p_filesz < 2 || p.p_filesz > kMaxInterpreter)
    return bad(name, fmt::format("the interpreter path has an absurd length of {} bytes", p.p_filesz));
  std::string path(p.p_filesz, '\0');
  if (!file.read_at(p.p_offset, {reinterpret_cast<u8*>(path.data()), path.size()}))
    return bad(name, fmt::format("truncated: the interpreter path at {:#x} is beyond the file", p.p_offset));
  if (path.back() != '\0') return bad(name, "the interpreter path is not terminated");
  path.resize(std::strlen(path.c_str()));
  if (path.empty()) return bad(name, "the interpreter path is empty");
  return path;
}

/// The table's address in memory: PT_PHDR, else the segment that contains it in the file, else 0 as Linux does.
u64 header_table_address(const Elf64_Ehdr& h, const std::vector<Elf64_Phdr>& table, const ElfImage& image) {
  for (const Elf64_Phdr& p : table)
    if (p.p_type == PT_PHDR) return p.p_vaddr;
  for (const Segment& s : image.segments)
    if (h.e_phoff >= s.offset && h.e_phoff - s.offset < s.file_size) return s.vaddr + (h.e_phoff - s.offset);
  return 0;
}

bool entry_is_executable(const ElfImage& image) {
  return std::any_of(image.segments.begin(), image.segments.end(), [&](const Segment& s) {
    return s.execute && image.entry >= s.vaddr && image.entry - s.vaddr < s.memory_size;
  });
}

}  // namespace

Result<ElfImage> parse_elf(const ByteSource& file, const std::string& name) {
  Elf64_Ehdr h;
  if (!file.read_at(0, {reinterpret_cast<u8*>(&h), sizeof h})) {
    u8 magic[SELFMAG];
    if (file.read_at(0, magic) && std::memcmp(magic, ELFMAG, SELFMAG) == 0)
      return bad(name, fmt::format("truncated: only {} bytes of the ELF header", file.size()));
    return bad(name, file.size() == 0 ? "an empty file" : "not an ELF program or script");
  }
  if (auto ok = check_identity(h, name); !ok) return tl::unexpected(ok.error());
  auto table = read_headers(file, h, name);
  if (!table) return tl::unexpected(table.error());

  ElfImage image;
  image.position_independent = h.e_type == ET_DYN;
  image.entry = h.e_entry;
  image.header_count = h.e_phnum;
  image.alignment = kPageSize;
  for (const Elf64_Phdr& p : *table) {
    if (p.p_type == PT_LOAD && p.p_memsz != 0) {
      if (auto ok = check_segment(p, file, name, image); !ok) return tl::unexpected(ok.error());
      add_segment(p, image);
    } else if (p.p_type == PT_INTERP && image.interpreter.empty()) {
      auto path = read_interpreter(p, file, name);
      if (!path) return tl::unexpected(path.error());
      image.interpreter = std::move(*path);
    } else if (p.p_type == PT_GNU_STACK) {
      image.executable_stack = p.p_flags & PF_X;
    }
  }
  if (image.segments.empty()) return bad(name, "no loadable segments");
  image.low = align_down(image.segments.front().vaddr, kPageSize);
  image.high = align_up(image.segments.back().vaddr + image.segments.back().memory_size, kPageSize);
  if (image.alignment > kAddressLimit / 2)
    return fail(ENOMEM, fmt::format("{}: segment alignment {:#x} is too large", name, image.alignment));
  image.header_table_vaddr = header_table_address(h, *table, image);
  if (!entry_is_executable(image))
    return bad(name, fmt::format("the entry point {:#x} is not in an executable segment", image.entry));
  return image;
}

Result<ScriptLine> parse_script_line(std::span<const u8> head, const std::string& name) {
  std::string line(reinterpret_cast<const char*>(head.data()), head.size());
  line.erase(0, 2);
  const std::size_t end = line.find('\n');
  const bool complete = end != std::string::npos;
  if (complete) line.resize(end);
  if (const std::size_t nul = line.find('\0'); nul != std::string::npos) line.resize(nul);
  const char* blanks = " \t";
  const std::size_t begin = line.find_first_not_of(blanks);
  if (begin == std::string::npos) return bad(name, "the #! line names no interpreter");
  const std::size_t word_end = line.find_first_of(blanks, begin);
  if (word_end == std::string::npos && !complete && head.size() >= 256)
    return bad(name, "the #! line is longer than 255 bytes");
  ScriptLine script;
  script.interpreter = line.substr(begin, word_end == std::string::npos ? word_end : word_end - begin);
  const std::size_t argument = word_end == std::string::npos ? word_end : line.find_first_not_of(blanks, word_end);
  if (argument != std::string::npos)
    script.argument = line.substr(argument, line.find_last_not_of(blanks) - argument + 1);
  return script;
}

}  // namespace tiercel::user
