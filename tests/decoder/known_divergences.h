// Encodings where the A64 table and LLVM's MC disagree, and why we keep our side.
#pragma once

#include <span>

#include "base/types.h"

namespace tiercel::test {

struct Divergence {
  u32 mask, value;
  const char* what;    // what both sides say
  const char* reason;  // with the manual's heading
};

std::span<const Divergence> known_divergences();

}  // namespace tiercel::test
