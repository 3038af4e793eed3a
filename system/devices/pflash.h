// NOR flash with the Intel command set, as UEFI keeps its variables in: two 16-bit chips side by side on a 32-bit bus.
// JEDEC JESD68 (Common Flash Interface); Intel StrataFlash (J3) data sheet, "Device Commands".
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "system/bus/device.h"

namespace tiercel::system {

/// While it shows its array, the bus reads the memory without asking; in all other modes reads come here.
class Pflash final : public Device {
 public:
  static constexpr u64 kBlockBytes = 256 << 10;  // of both chips; what is erased at once

  struct Hooks {
    /// The array is to be read in place, or not any more.
    std::function<void(bool readable)> set_readable;
    /// Bytes [offset, offset + bytes) have changed.
    std::function<void(u64 offset, u64 bytes)> changed;
  };
  /// `memory` is a multiple of kBlockBytes.
  Pflash(std::span<u8> memory, Hooks hooks, bool writable);

  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override;
  /// Without the array, which is the board's memory.
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

 private:
  enum class Mode : u8 { Array, Status, Identifier, Query };
  /// What the next write is: a command, or part of one.
  enum class Expect : u8 { Command, Program, EraseConfirm, BufferCount, BufferData, BufferConfirm, LockConfirm };

  void enter(Mode mode);
  void command(u8 code);
  void finish(bool good, u32 error);
  void program(u64 offset, unsigned bytes, u64 value);
  void erase(u64 offset);
  void start_buffer(u64 offset, u32 count);
  void fill_buffer(u64 offset, unsigned bytes, u64 value);
  void program_buffer();
  u16 answer(u64 offset) const;

  std::span<u8> memory_;
  Hooks hooks_;
  bool writable_;
  std::mutex mutex_;
  Mode mode_ = Mode::Array;
  Expect expect_ = Expect::Command;
  u8 status_ = 0;
  u64 buffer_start_ = 0;
  u32 buffer_words_ = 0;  // still to come
  std::vector<u8> buffer_;
};

}  // namespace tiercel::system
