// Kernels as files, and where they go in memory. Linux, Documentation/arch/arm64/booting.rst.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// An arm64 Image, ready to be copied.
struct KernelImage {
  std::vector<u8> bytes;
  u64 text_offset = 0;   // from a 2 MiB boundary
  u64 memory_bytes = 0;  // with what the kernel clears behind its bytes
};

/// Recognises a plain Image, one compressed with gzip, and an EFI program with a gzip or zstd payload
/// (CONFIG_EFI_ZBOOT). Others are refused with what they seem to be; `name` is the file's, for messages.
Result<KernelImage> read_kernel_image(const std::string& name, std::vector<u8> file);

/// Where things go in RAM. Addresses of what is not there are 0.
struct LoadPlan {
  PAddr kernel;
  PAddr initrd;
  u64 initrd_bytes = 0;
  PAddr device_tree;
};

/// Kernel, then device tree, then initrd, from the start of RAM. An error if it does not fit.
Result<LoadPlan> plan_load(PAddr ram, u64 ram_bytes, const KernelImage& kernel, u64 initrd_bytes);

}  // namespace tiercel::system
