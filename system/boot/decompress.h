// Compressed files as a whole.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// An error names the file (`name`), and says when the result would be larger than `most` bytes.
Result<std::vector<u8>> unpack_gzip(const std::string& name, std::span<const u8> packed, u64 most);
Result<std::vector<u8>> unpack_zstd(const std::string& name, std::span<const u8> packed, u64 most);

}  // namespace tiercel::system
