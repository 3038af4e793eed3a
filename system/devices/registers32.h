// The register file of most peripherals: 32-bit words.
#pragma once

#include "base/bits.h"
#include "system/bus/device.h"

namespace tiercel::system {

/// Narrower reads give a part of the word; narrower writes count only at the word's start and are zero-extended, as the
/// PrimeCells see them; wider accesses are two words.
class Registers32 : public Device {
 public:
  u64 read(u64 offset, unsigned bytes) final {
    if (bytes == 8) return read32(offset) | u64{read32(offset + 4)} << 32;
    return u64{read32(offset & ~u64{3})} >> (8 * (offset & 3));
  }
  void write(u64 offset, unsigned bytes, u64 value) final {
    if ((offset & 3) != 0) return;
    write32(offset, static_cast<u32>(value));
    if (bytes == 8) write32(offset + 4, static_cast<u32>(value >> 32));
  }

 protected:
  virtual u32 read32(u64 offset) = 0;
  virtual void write32(u64 offset, u32 value) = 0;

  /// PeriphID0-3 and PCellID0-3 at 0xfe0 to 0xffc: `id` holds PeriphID3..0. 0 elsewhere.
  static u32 primecell_id(u64 offset, u32 id) {
    if (offset < 0xfe0 || offset > 0xffc) return 0;
    const u64 both = u64{0xb105f00d} << 32 | id;
    return static_cast<u32>(bits(both, static_cast<unsigned>(offset - 0xfe0) / 4 * 8, 8));
  }
};

}  // namespace tiercel::system
