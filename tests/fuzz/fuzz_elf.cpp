// Any bytes as a program file: the loader's parser gives an image whose promises hold, or an error with a message.
#include <fmt/format.h>

#include <span>

#include "base/check.h"
#include "user/loader/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  using namespace tiercel;
  const std::span<const u8> bytes(data, size);
  (void)user::classify(bytes);
  const auto script = user::parse_script_line(bytes, "input");
  CHECK_MSG(script || !script.error().message.empty(), "an error without words");
  const auto image = user::parse_elf(user::MemorySource(bytes), "input");
  if (!image) {
    CHECK_MSG(!image.error().message.empty(), "an error without words");
    return 0;
  }
  u64 end = 0;
  for (const user::Segment& segment : image->segments) {
    CHECK_MSG(segment.vaddr >= end && segment.memory_size >= segment.file_size,
              fmt::format("{:#x}", segment.vaddr).c_str());
    CHECK_MSG(segment.vaddr <= user::kAddressLimit && segment.memory_size <= user::kAddressLimit - segment.vaddr,
              fmt::format("{:#x}", segment.vaddr).c_str());
    CHECK_MSG(segment.file_size == 0 || (segment.offset <= size && segment.file_size <= size - segment.offset),
              fmt::format("{:#x}", segment.offset).c_str());
    end = segment.vaddr + segment.memory_size;
  }
  CHECK_MSG(image->low <= image->high && image->alignment >= 4096,
            fmt::format("{:#x} {:#x}", image->low, image->high).c_str());
  return 0;
}
