#include "system/devices/pflash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

enum Command : u8 {
  kEraseSetup = 0x20,
  kProgram = 0x40,
  kProgramAlternate = 0x10,
  kClearStatus = 0x50,
  kLockSetup = 0x60,
  kReadStatus = 0x70,
  kReadIdentifier = 0x90,
  kReadQuery = 0x98,
  kConfirm = 0xd0,
  kLock = 0x01,
  kWriteBuffer = 0xe8,
  kReadArray = 0xff,
};
constexpr u8 kReady = 0x80, kEraseError = 0x20, kProgramError = 0x10;  // the status register
constexpr u64 kBus = 4;                                                // bytes: one 16-bit word of each chip
constexpr u64 kBufferBytes = 4096;                                     // of both chips; an aligned piece of the array
constexpr u16 kManufacturer = 0x89, kDeviceCode = 0x18;

/// CFI query structure of one chip, by word address. `log_size` is its size in bytes as a power of two.
u16 query(u64 word, unsigned log_size) {
  const u64 chip_block = Pflash::kBlockBytes / 2;
  const u64 blocks = (u64{1} << log_size) / chip_block;
  switch (word) {
    case 0x10:
      return 'Q';
    case 0x11:
      return 'R';
    case 0x12:
      return 'Y';
    case 0x13:
      return 1;  // the Intel command set
    case 0x15:
      return 0x31;  // where its own table starts
    case 0x1b:
      return 0x45;  // least Vcc, 4.5 V
    case 0x1c:
      return 0x55;
    case 0x1f:  // typical times: words, buffers, and blocks
    case 0x20:
      return 7;
    case 0x21:
      return 10;
    case 0x23:  // and how much longer at most
    case 0x24:
    case 0x25:
      return 4;
    case 0x27:
      return static_cast<u16>(log_size);
    case 0x28:
      return 2;  // x16 and x8
    case 0x2a:
      return static_cast<u16>(std::countr_zero(kBufferBytes / 2));
    case 0x2c:
      return 1;  // one region of equal blocks
    case 0x2d:
      return static_cast<u16>((blocks - 1) & 0xff);
    case 0x2e:
      return static_cast<u16>((blocks - 1) >> 8 & 0xff);
    case 0x2f:
      return static_cast<u16>((chip_block >> 8) & 0xff);
    case 0x30:
      return static_cast<u16>(chip_block >> 16);
    case 0x31:
      return 'P';
    case 0x32:
      return 'R';
    case 0x33:
      return 'I';
    case 0x34:
      return '1';
    case 0x35:
      return '0';
    default:
      return 0;
  }
}

}  // namespace

Pflash::Pflash(std::span<u8> memory, Hooks hooks, bool writable)
    : memory_(memory), hooks_(std::move(hooks)), writable_(writable) {
  CHECK(!memory.empty() && is_aligned(memory.size(), kBlockBytes));
}

void Pflash::reset() {
  const std::scoped_lock lock(mutex_);
  enter(Mode::Array);
  expect_ = Expect::Command;
  status_ = 0;
}

void Pflash::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  Mode mode = mode_;
  state(mode, expect_, status_, buffer_start_, buffer_words_);
  state.list(buffer_, kBufferBytes);
  if (!state.loads()) return;
  const bool fills = expect_ == Expect::BufferData || expect_ == Expect::BufferConfirm;
  const bool fits = memory_.size() >= kBufferBytes && buffer_start_ <= memory_.size() - kBufferBytes;
  state.require(mode <= Mode::Query && expect_ <= Expect::LockConfirm && buffer_words_ <= kBufferBytes / kBus);
  state.require(!fills || (buffer_.size() == kBufferBytes && is_aligned(buffer_start_, kBufferBytes) && fits));
  if (!state.good()) return;
  enter(mode);
  // Whoever keeps the array elsewhere gets all of it.
  if (writable_ && hooks_.changed) hooks_.changed(0, memory_.size());
}

void Pflash::describe(FdtNode& node) const {
  node.set_string("compatible", "cfi-flash");
  node.set_cells("bank-width", {static_cast<u32>(kBus)});
}

void Pflash::enter(Mode mode) {
  const bool readable = mode == Mode::Array;
  if (readable != (mode_ == Mode::Array) && hooks_.set_readable) hooks_.set_readable(readable);
  mode_ = mode;
}

u64 Pflash::read(u64 offset, unsigned bytes) {
  const std::scoped_lock lock(mutex_);
  u64 value = 0;
  if (mode_ == Mode::Array) {
    std::memcpy(&value, memory_.data() + offset, bytes);
    return value;
  }
  for (unsigned i = 0; i < bytes; ++i)
    value |= u64{(answer(offset + i) >> (8 * ((offset + i) & 1))) & 0xffu} << (8 * i);
  return value;
}

/// The 16-bit word one chip gives for the byte at `offset`, when it is not the array's.
u16 Pflash::answer(u64 offset) const {
  const u64 word = offset / kBus;
  switch (mode_) {
    case Mode::Status:
      return kReady | status_;
    case Mode::Identifier: {
      constexpr std::array<u16, 2> kCodes = {kManufacturer, kDeviceCode};
      return word % (kBlockBytes / kBus) < 2 ? kCodes[word % 2] : 0;  // and no block is locked
    }
    case Mode::Query:
      return query(word, static_cast<unsigned>(std::countr_zero(std::bit_ceil(memory_.size() / 2))));
    case Mode::Array:
      break;
  }
  return 0;
}

void Pflash::write(u64 offset, unsigned bytes, u64 value) {
  const std::scoped_lock lock(mutex_);
  switch (expect_) {
    case Expect::Command:
      return command(static_cast<u8>(value));
    case Expect::Program:
      return program(offset, bytes, value);
    case Expect::EraseConfirm:
      if (static_cast<u8>(value) == kConfirm) return erase(offset);
      return finish(false, kEraseError | kProgramError);
    case Expect::LockConfirm:  // blocks can be locked and unlocked, and that changes nothing
      return finish(static_cast<u8>(value) == kConfirm || static_cast<u8>(value) == kLock, kEraseError | kProgramError);
    case Expect::BufferCount:
      return start_buffer(offset, static_cast<u16>(value) + 1u);
    case Expect::BufferData:
      return fill_buffer(offset, bytes, value);
    case Expect::BufferConfirm:
      if (static_cast<u8>(value) == kConfirm) return program_buffer();
      return finish(false, kEraseError | kProgramError);
  }
}

void Pflash::command(u8 code) {
  switch (code) {
    case kReadArray:
      return enter(Mode::Array);
    case kReadStatus:
      return enter(Mode::Status);
    case kReadIdentifier:
      return enter(Mode::Identifier);
    case kReadQuery:
      return enter(Mode::Query);
    case kClearStatus:
      status_ = 0;
      return;
    case kProgram:
    case kProgramAlternate:
      expect_ = Expect::Program;
      break;
    case kEraseSetup:
      expect_ = Expect::EraseConfirm;
      break;
    case kWriteBuffer:
      expect_ = Expect::BufferCount;
      break;
    case kLockSetup:
      expect_ = Expect::LockConfirm;
      break;
    default:
      return;  // firmware that runs in flash stores to its variables there
  }
  enter(Mode::Status);
}

void Pflash::finish(bool good, u32 error) {
  if (!good) status_ |= static_cast<u8>(error);
  expect_ = Expect::Command;
}

/// Programming can only clear bits.
void Pflash::program(u64 offset, unsigned bytes, u64 value) {
  if (!writable_) return finish(false, kProgramError);
  for (unsigned i = 0; i < bytes; ++i) memory_[offset + i] &= static_cast<u8>(value >> (8 * i));
  if (hooks_.changed) hooks_.changed(offset, bytes);
  finish(true, 0);
}

void Pflash::erase(u64 offset) {
  if (!writable_) return finish(false, kEraseError);
  const u64 start = align_down(offset, kBlockBytes);
  std::memset(memory_.data() + start, 0xff, kBlockBytes);
  if (hooks_.changed) hooks_.changed(start, kBlockBytes);
  finish(true, 0);
}

void Pflash::start_buffer(u64 offset, u32 count) {
  if (count > kBufferBytes / kBus) return finish(false, kEraseError | kProgramError);
  buffer_start_ = align_down(offset, kBufferBytes);
  buffer_words_ = count;
  buffer_.assign(kBufferBytes, 0xff);
  expect_ = Expect::BufferData;
}

void Pflash::fill_buffer(u64 offset, unsigned bytes, u64 value) {
  if (align_down(offset, kBufferBytes) != buffer_start_) return finish(false, kEraseError | kProgramError);
  std::memcpy(buffer_.data() + (offset - buffer_start_), &value, bytes);
  // Each write is one bus word, however narrow; a wider one is two.
  buffer_words_ -= std::min<u32>(buffer_words_, bytes == 8 ? 2 : 1);
  if (buffer_words_ == 0) expect_ = Expect::BufferConfirm;
}

void Pflash::program_buffer() {
  if (!writable_) return finish(false, kProgramError);
  for (u64 i = 0; i < kBufferBytes; ++i) memory_[buffer_start_ + i] &= buffer_[i];
  if (hooks_.changed) hooks_.changed(buffer_start_, kBufferBytes);
  finish(true, 0);
}

}  // namespace tiercel::system
