#include "system/boot/kernel_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/bits.h"
#include "system/boot/decompress.h"

namespace tiercel::system {
namespace {

constexpr u64 kAlignment = 2 << 20;             // of the kernel and of the device tree's room
constexpr u64 kMostKernelBytes = u64{1} << 30;  // unpacked: against archives that unpack to everything there is
constexpr u64 kOldTextOffset = 0x80000;         // of kernels before 3.17, which do not say how large they are
constexpr u64 kImageHeaderBytes = 64;

template <typename T>
std::optional<T> field(std::span<const u8> bytes, u64 offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool has_text(std::span<const u8> bytes, u64 offset, std::string_view text) {
  return offset <= bytes.size() && bytes.size() - offset >= text.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

bool is_gzip(std::span<const u8> bytes) {
  return has_text(bytes, 0, "\x1f\x8b");
}
bool is_zboot(std::span<const u8> bytes) {
  return has_text(bytes, 0, "MZ") && has_text(bytes, 4, "zimg");
}

/// What else a file may be that somebody takes for an arm64 kernel.
std::string guess(std::span<const u8> bytes) {
  constexpr u16 kX86_64 = 62, kAarch64 = 183;
  if (bytes.empty()) return "it is empty";
  if (has_text(bytes, 0x202, "HdrS")) return "it is an x86 kernel (bzImage)";
  if (field<u32>(bytes, 0x24) == 0x016f2818u) return "it is a 32-bit Arm kernel (zImage)";
  if (has_text(bytes, 0x38, std::string_view("RSC\x05", 4))) return "it is a RISC-V kernel";
  if (has_text(bytes, 0,
               "\x7f"
               "ELF")) {
    const u16 machine = field<u16>(bytes, 18).value_or(0);
    if (machine == kAarch64) return "it is an ELF file (vmlinux); give the Image that is built from it";
    return machine == kX86_64 ? "it is an x86-64 ELF file" : fmt::format("it is an ELF file for machine {}", machine);
  }
  if (has_text(bytes, 0, "MZ")) return "it is an EFI program without an arm64 Image header";
  if (has_text(bytes, 0, "070701") || has_text(bytes, 0, "070702")) return "it is a cpio archive (an initrd?)";
  if (field<u32>(bytes, 0) == 0xedfe0dd0u) return "it is a device tree";
  return "no known header";
}

Result<std::vector<u8>> unpack_zboot(const std::string& name, std::span<const u8> file) {
  const u32 offset = field<u32>(file, 8).value_or(0), size = field<u32>(file, 12).value_or(0);
  if (offset > file.size() || size > file.size() - offset)
    return fail(EINVAL, fmt::format("{}: its compressed kernel, {} bytes at {}, lies outside the file of {} bytes",
                                    name, size, offset, file.size()));
  const std::span<const u8> payload = file.subspan(offset, size);
  if (has_text(file, 24, "gzip")) return unpack_gzip(name, payload, kMostKernelBytes);
  if (has_text(file, 24, "zstd")) return unpack_zstd(name, payload, kMostKernelBytes);
  std::string method;
  for (u64 i = 24; i < std::min<u64>(file.size(), 0x38) && file[i] >= 0x20 && file[i] < 0x7f; ++i)
    method += static_cast<char>(file[i]);
  return fail(ENOTSUP, fmt::format("{}: its kernel is compressed with \"{}\"; gzip and zstd are known", name, method));
}

}  // namespace

Result<KernelImage> read_kernel_image(const std::string& name, std::vector<u8> file) {
  if (is_gzip(file) || is_zboot(file)) {
    Result<std::vector<u8>> unpacked =
        is_gzip(file) ? unpack_gzip(name, file, kMostKernelBytes) : unpack_zboot(name, file);
    if (!unpacked) return tl::unexpected(unpacked.error());
    file = std::move(*unpacked);
  }
  if (!has_text(file, 0x38, "ARM\x64") || file.size() < kImageHeaderBytes)
    return fail(EINVAL, fmt::format("{} is not an arm64 kernel: {}", name, guess(file)));
  KernelImage image;
  const u64 image_size = *field<u64>(file, 16);
  const u64 flags = *field<u64>(file, 24);
  image.text_offset = image_size == 0 ? kOldTextOffset : *field<u64>(file, 8);
  image.memory_bytes = std::max<u64>(image_size, file.size());
  if (image_size != 0 && (flags & 1)) return fail(EINVAL, fmt::format("{} is a big-endian kernel", name));
  if (image.text_offset >= kAlignment || image.memory_bytes > kMostKernelBytes)
    return fail(EINVAL, fmt::format("{}: its header asks for {} bytes at offset {:#x}", name, image.memory_bytes,
                                    image.text_offset));
  image.bytes = std::move(file);
  return image;
}

Result<LoadPlan> plan_load(PAddr ram, u64 ram_bytes, const KernelImage& kernel, u64 initrd_bytes) {
  LoadPlan plan;
  plan.kernel = PAddr{align_up(ram.value, kAlignment) + kernel.text_offset};
  // The device tree must not cross a 2 MiB boundary.
  plan.device_tree = PAddr{align_up(plan.kernel.value + kernel.memory_bytes, kAlignment)};
  const PAddr behind = plan.device_tree + kAlignment;
  const u64 used = behind - ram;
  if (used > ram_bytes || initrd_bytes > ram_bytes - used)
    return fail(ENOMEM, fmt::format("{} MiB of RAM are too few for a kernel of {} MiB and an initrd of {} MiB",
                                    ram_bytes >> 20, (kernel.memory_bytes >> 20) + 1, initrd_bytes >> 20));
  if (initrd_bytes != 0) {
    plan.initrd = behind;
    plan.initrd_bytes = initrd_bytes;
  }
  return plan;
}

}  // namespace tiercel::system
