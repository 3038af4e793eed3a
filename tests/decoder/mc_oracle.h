// LLVM's MC disassembler as the independent second opinion.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/types.h"

namespace tiercel::test {

/// The features that the A64 table claims to decode, in LLVM's words.
inline constexpr const char* kMcFeatures = "+v8a,+fp-armv8,+neon,+crc,+lse,+rdm,+aes,+sha2,+lor";

class McOracle {
 public:
  explicit McOracle(const char* features = kMcFeatures);
  ~McOracle();

  /// Decodes one word; false if it is not an instruction. UNPREDICTABLE encodings are instructions.
  bool decode(u32 word, u64 pc);
  /// Text of the last word that decode() accepted, without aliases.
  std::string text();

 private:
  struct Private;
  std::unique_ptr<Private> private_;
};

/// Lower case, single blanks, numbers in decimal without '#': what two disassemblers must agree on.
std::string normalised(const std::string& text);

}  // namespace tiercel::test
