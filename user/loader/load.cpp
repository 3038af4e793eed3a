// Maps a program and its loader, and builds the first stack. Linux Documentation/arch/arm64/elf_hwcaps.rst; System V
// gABI, "Process Initialization"; the order of the auxiliary vector does not matter to programs.
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/bits.h"
#include "user/loader/loader.h"

namespace tiercel::user {

namespace {

// Position-independent programs, with plenty of room for brk: where Linux puts them, above what sanitizers take for
// their shadows (AddressSanitizer: up to 0x100fffffffff).
constexpr u64 kProgramHint = 0x560000000000;
constexpr u64 kDefaultStack = 8 << 20;
constexpr u64 kMaxStack = u64{1} << 30;
constexpr u64 kStackGuard = 64 << 10;

// AT_HWCAP of arm64, Linux uapi/asm/hwcap.h. Exactly what frontend-arm implements completely.
namespace hwcap {
constexpr u64 kFp = 1 << 0, kAsimd = 1 << 1, kAes = 1 << 3, kPmull = 1 << 4, kSha1 = 1 << 5, kSha2 = 1 << 6,
              kCrc32 = 1 << 7, kAtomics = 1 << 8, kCpuid = 1 << 11, kAsimdRdm = 1 << 12;
constexpr u64 kAll = kFp | kAsimd | kAes | kPmull | kSha1 | kSha2 | kCrc32 | kAtomics | kCpuid | kAsimdRdm;
}  // namespace hwcap

struct MappedImage {
  ElfImage elf;
  u64 bias = 0;
  u64 end = 0;
};

int protection(const Segment& s) {
  return (s.read ? PROT_READ : 0) | (s.write ? PROT_WRITE : 0) | (s.execute ? PROT_EXEC : 0);
}

/// Maps one segment at its address; the rest of its last file page and its bss are zero.
Result<void> map_segment(const Segment& s, u64 bias, int fd, const std::string& name, GuestMemory& memory) {
  const u64 start = align_down(s.vaddr + bias, kPageSize);
  const u64 file_end = s.vaddr + bias + s.file_size, end = align_up(s.vaddr + bias + s.memory_size, kPageSize);
  const int prot = protection(s);
  const auto refused = [&](s64 error) {
    return fail(static_cast<int>(-error), fmt::format("{}: cannot map its segment at {:#x} ({} bytes): {}", name, start,
                                                      end - start, std::strerror(static_cast<int>(-error))));
  };
  u64 mapped = start;
  if (s.file_size != 0) {
    mapped = align_up(file_end, kPageSize);
    const s64 r = memory.map(start, mapped - start, prot, MAP_PRIVATE | MAP_FIXED, fd, align_down(s.offset, kPageSize));
    if (r < 0) return refused(r);
    if (mapped > file_end && s.memory_size > s.file_size && s.write)
      std::memset(reinterpret_cast<void*>(file_end), 0, mapped - file_end);
  }
  if (end > mapped) {
    const s64 r = memory.map(mapped, end - mapped, prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    if (r < 0) return refused(r);
  }
  return {};
}

/// Finds room for the whole image first, so that segments can then be placed with MAP_FIXED.
Result<u64> reserve(const ElfImage& elf, u64 hint, const std::string& name, GuestMemory& memory) {
  const u64 size = elf.high - elf.low;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (!elf.position_independent) {
    const s64 r = memory.map(elf.low, size, PROT_NONE, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
    if (r == static_cast<s64>(elf.low)) return u64{0};
    if (r == -EPERM || r == -EACCES)
      return fail(ENOMEM, fmt::format("{}: its address {:#x} is below vm.mmap_min_addr", name, elf.low));
    return fail(ENOMEM, fmt::format("{}: its addresses {:#x} to {:#x} are not free here", name, elf.low, elf.high));
  }
  // Room for the alignment too; the spare ends go back.
  const u64 slack = elf.alignment - kPageSize;
  const s64 r = size > kAddressLimit - slack ? -ENOMEM : memory.map(hint, size + slack, PROT_NONE, kFlags, -1, 0);
  if (r < 0) return fail(ENOMEM, fmt::format("{}: no room for its {} bytes of memory", name, size));
  const u64 base = static_cast<u64>(r), start = align_up(base, elf.alignment);
  if (start > base) memory.unmap(base, start - base);
  if (base + slack > start) memory.unmap(start + size, base + slack - start);
  return start - elf.low;
}

Result<MappedImage> map_image(const std::string& host_path, const std::string& name, u64 hint, GuestMemory& memory) {
  const int fd = open(host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(errno, fmt::format("{}: {}", name, std::strerror(errno)));
  struct Closer {
    int fd;
    ~Closer() { close(fd); }
  } closer{fd};
  struct stat info;
  if (fstat(fd, &info) < 0) return fail(errno, fmt::format("{}: {}", name, std::strerror(errno)));
  auto elf = parse_elf(FileSource(fd, static_cast<u64>(info.st_size)), name);
  if (!elf) return tl::unexpected(elf.error());
  const auto bias = reserve(*elf, hint, name, memory);
  if (!bias) return tl::unexpected(bias.error());
  MappedImage image;
  image.elf = std::move(*elf);
  image.bias = *bias;
  u64 previous_end = image.elf.low + image.bias;
  for (const Segment& s : image.elf.segments) {
    const u64 start = align_down(s.vaddr + image.bias, kPageSize);
    if (start > previous_end) memory.unmap(previous_end, start - previous_end);
    if (auto ok = map_segment(s, image.bias, fd, name, memory); !ok) return tl::unexpected(ok.error());
    previous_end = align_up(s.vaddr + s.memory_size + image.bias, kPageSize);
  }
  image.end = previous_end;
  return image;
}

/// Grows downwards from the top of the first stack.
class StackWriter {
 public:
  explicit StackWriter(u64 top) : sp_(top) {}
  u64 position() const { return sp_; }
  void align(u64 to) { sp_ = align_down(sp_, to); }
  u64 push(const void* bytes, u64 size) {
    sp_ -= size;
    std::memcpy(reinterpret_cast<void*>(sp_), bytes, size);
    return sp_;
  }
  u64 push(const std::string& text) { return push(text.c_str(), text.size() + 1); }
  u64 push(u64 word) { return push(&word, sizeof word); }

 private:
  u64 sp_;
};

u64 stack_size(const RunOptions& options, const std::vector<std::string>& arguments) {
  u64 size = options.stack_bytes;
  if (size == 0) {
    rlimit limit;
    size = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : kDefaultStack;
    size = std::clamp<u64>(size, kDefaultStack, kMaxStack);
  }
  u64 strings = 0;
  for (const auto& s : arguments) strings += s.size() + 17;
  for (const auto& s : options.environment) strings += s.size() + 17;
  return align_up(size + strings, kPageSize);
}

/// Strings in ascending order, as Linux lays them out, so that programs may overwrite their arguments in place.
std::vector<u64> push_strings(StackWriter& stack, const std::vector<std::string>& strings) {
  std::vector<u64> at(strings.size());
  for (std::size_t i = strings.size(); i-- > 0;) at[i] = stack.push(strings[i]);
  return at;
}

void build_stack(const MappedImage& image, u64 interpreter_base, const ExecPlan& plan, const RunOptions& options,
                 const std::vector<std::string>& arguments, LoadedProgram& program) {
  StackWriter stack(program.stack_end - 16);
  const u64 exec_name = stack.push(plan.exec_name);
  program.environment_end = stack.position();
  const std::vector<u64> environment = push_strings(stack, options.environment);
  program.environment_begin = program.arguments_end = stack.position();
  const std::vector<u64> argv = push_strings(stack, arguments);
  program.arguments_begin = stack.position();
  const u64 platform = stack.push(std::string("aarch64"));
  u8 seed[16] = {};
  [[maybe_unused]] const ssize_t got = getrandom(seed, sizeof seed, 0);
  stack.align(16);
  const u64 random = stack.push(seed, sizeof seed);

  const u64 table = image.elf.header_table_vaddr == 0 ? 0 : image.elf.header_table_vaddr + image.bias;
  program.auxiliary = {AT_HWCAP,       hwcap::kAll,
                       AT_PAGESZ,      kPageSize,
                       AT_CLKTCK,      static_cast<u64>(sysconf(_SC_CLK_TCK)),
                       AT_PHDR,        table,
                       AT_PHENT,       sizeof(Elf64_Phdr),
                       AT_PHNUM,       image.elf.header_count,
                       AT_BASE,        interpreter_base,
                       AT_FLAGS,       0,
                       AT_ENTRY,       image.elf.entry + image.bias,
                       AT_UID,         getuid(),
                       AT_EUID,        geteuid(),
                       AT_GID,         getgid(),
                       AT_EGID,        getegid(),
                       AT_SECURE,      getauxval(AT_SECURE),
                       AT_RANDOM,      random,
                       AT_HWCAP2,      0,
                       AT_EXECFN,      exec_name,
                       AT_PLATFORM,    platform,
                       AT_MINSIGSTKSZ, 4720,
                       AT_NULL,        0};
  const u64 words = 1 + argv.size() + 1 + environment.size() + 1 + program.auxiliary.size();
  if (words % 2 != 0) stack.push(u64{0});
  for (std::size_t i = program.auxiliary.size(); i-- > 0;) stack.push(program.auxiliary[i]);
  stack.push(u64{0});
  for (std::size_t i = environment.size(); i-- > 0;) stack.push(environment[i]);
  stack.push(u64{0});
  for (std::size_t i = argv.size(); i-- > 0;) stack.push(argv[i]);
  program.stack_pointer = stack.push(u64{argv.size()});
}

/// The code signal handlers return to when they name no restorer: what Linux keeps in its vdso. Unwinders know a signal
/// frame by exactly these two insns.
Result<u64> map_signal_return(GuestMemory& memory) {
  constexpr u32 kCode[] = {0xd2801168,   // mov x8, #139 (rt_sigreturn)
                           0xd4000001};  // svc #0
  const s64 page = memory.map(0, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page < 0) return fail(ENOMEM, "no room for the signal return page");
  std::memcpy(reinterpret_cast<void*>(page), kCode, sizeof kCode);
  memory.protect(static_cast<u64>(page), kPageSize, PROT_READ | PROT_EXEC);
  memory.name_range(static_cast<u64>(page), static_cast<u64>(page) + kPageSize, "[vdso]");
  return static_cast<u64>(page);
}

}  // namespace

Result<LoadedProgram> load_program(const ExecPlan& plan, const RunOptions& options, const Paths& paths,
                                   GuestMemory& memory) {
  auto image = map_image(plan.host_path, plan.guest_path, kProgramHint, memory);
  if (!image) return tl::unexpected(image.error());
  LoadedProgram program;
  program.guest_path = plan.guest_path;
  program.host_path = plan.host_path;
  char resolved[PATH_MAX];
  if (realpath(plan.host_path.c_str(), resolved)) {
    program.host_path = resolved;
    program.guest_path = paths.guest_view(resolved);
  }
  program.entry = image->elf.entry + image->bias;
  u64 interpreter_base = 0;
  if (!image->elf.interpreter.empty()) {
    const auto loader = paths.resolve(AT_FDCWD, image->elf.interpreter.c_str(), Paths::Last::Follow);
    auto mapped = map_image(loader.path, image->elf.interpreter, 0, memory);
    if (!mapped) return tl::unexpected(mapped.error());
    if (!mapped->elf.interpreter.empty())
      return fail(ENOEXEC,
                  fmt::format("{}: the loader {} asks for a loader itself", plan.guest_path, image->elf.interpreter));
    interpreter_base = mapped->bias + mapped->elf.low;
    program.entry = mapped->elf.entry + mapped->bias;
  }
  memory.set_brk_start(image->end);

  std::vector<std::string> arguments = options.arguments;
  if (!plan.prefix.empty()) {
    if (!arguments.empty()) arguments.erase(arguments.begin());
    arguments.insert(arguments.begin(), plan.prefix.begin(), plan.prefix.end());
  }
  const u64 size = stack_size(options, arguments);
  const s64 stack = memory.map(0, size + kStackGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack < 0) return fail(ENOMEM, fmt::format("no room for a stack of {} bytes", size));
  program.stack_begin = static_cast<u64>(stack) + kStackGuard;
  program.stack_end = program.stack_begin + size;
  memory.protect(program.stack_begin, size, PROT_READ | PROT_WRITE | (image->elf.executable_stack ? PROT_EXEC : 0));
  memory.set_stack(program.stack_begin, program.stack_end);
  const auto trampoline = map_signal_return(memory);
  if (!trampoline) return tl::unexpected(trampoline.error());
  program.signal_return = *trampoline;
  build_stack(*image, interpreter_base, plan, options, arguments, program);
  return program;
}

}  // namespace tiercel::user
