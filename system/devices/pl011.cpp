#include "system/devices/pl011.h"

#include "system/boot/device_tree.h"

namespace tiercel::system {
namespace {

constexpr u32 kPeripheralId = 0x00341011;  // r1p5
constexpr std::size_t kFifoDepth = 32;     // of r1p5

enum Register : u64 {
  kData = 0x00,
  kFlags = 0x18,
  kLowPower = 0x20,
  kIntegerDivisor = 0x24,
  kFractionDivisor = 0x28,
  kLineControl = 0x2c,
  kControl = 0x30,
  kFifoLevels = 0x34,
  kMask = 0x38,
  kRaw = 0x3c,
  kMasked = 0x40,
  kClear = 0x44,
};

constexpr u32 kClearToSend = 1 << 0, kDataSetReady = 1 << 1, kCarrier = 1 << 2;       // UARTFR
constexpr u32 kReceiveEmpty = 1 << 4, kTransmitFull = 1 << 5, kReceiveFull = 1 << 6;  // UARTFR
constexpr u32 kTransmitEmpty = 1 << 7, kBusy = 1 << 3;                                // UARTFR
constexpr u32 kReceiveInterrupt = 1 << 4, kTransmitInterrupt = 1 << 5, kTimeoutInterrupt = 1 << 6;
constexpr u32 kFifoEnable = 1 << 4;  // UARTLCR_H
constexpr u32 kLoopback = 1 << 7;    // UARTCR

}  // namespace

Pl011::Pl011(CharPort& port, IrqLine irq) : port_(port), irq_(irq) {
  reset();
  port_.on_change([this] {
    const std::scoped_lock lock(mutex_);
    exchange();
    update_line();
  });
}

void Pl011::reset() {
  const std::scoped_lock lock(mutex_);
  received_.clear();
  sending_.clear();
  raw_ = mask_ = 0;
  low_power_ = integer_divisor_ = fraction_divisor_ = line_control_ = 0;
  control_ = 0x300;
  fifo_levels_ = 0x12;
  update_line();
}

void Pl011::serialize(Archive& state) {
  const std::scoped_lock lock(mutex_);
  state.list(received_, kFifoDepth);
  state.list(sending_, kFifoDepth);
  state(raw_, mask_, low_power_, integer_divisor_, fraction_divisor_, line_control_, control_, fifo_levels_);
  if (state.loads()) update_line();
}

void Pl011::describe(FdtNode& node) const {
  node.set_strings("compatible", {"arm,pl011", "arm,primecell"});
  node.set_cells("clocks", {kApbClock, kApbClock});
  node.set_strings("clock-names", {"uartclk", "apb_pclk"});
}

std::size_t Pl011::fifo_depth() const {
  return line_control_ & kFifoEnable ? kFifoDepth : 1;
}

/// Moves bytes between the FIFOs and the outside as far as there is room.
void Pl011::exchange() {
  bool sent = false;
  while (!sending_.empty() && port_.write({&sending_.front(), 1}) == 1) {
    sending_.pop_front();
    sent = true;
  }
  // Drivers answer it with half a FIFO of bytes without looking: only when there is room, whatever UARTIFLS says.
  if (sent && sending_.size() <= kFifoDepth / 2) raw_ |= kTransmitInterrupt;
  u8 byte;
  while (received_.size() < fifo_depth() && port_.read({&byte, 1}) == 1) received_.push_back(byte);
  update_receive_interrupts();
}

void Pl011::update_receive_interrupts() {
  // "Receive interrupt FIFO level select": 1/8, 1/4, 1/2, 3/4, 7/8; other values are reserved.
  constexpr std::size_t kEighths[8] = {1, 2, 4, 6, 7, 7, 7, 7};
  const std::size_t level = fifo_depth() == 1 ? 1 : kFifoDepth / 8 * kEighths[bits(fifo_levels_, 3, 3)];
  raw_ &= ~(kReceiveInterrupt | kTimeoutInterrupt);
  if (received_.size() >= level) raw_ |= kReceiveInterrupt;
  if (!received_.empty()) raw_ |= kTimeoutInterrupt;
}

u32 Pl011::flags() const {
  u32 flags = kClearToSend | kDataSetReady | kCarrier;
  if (received_.empty()) flags |= kReceiveEmpty;
  if (received_.size() >= fifo_depth()) flags |= kReceiveFull;
  if (sending_.empty()) flags |= kTransmitEmpty;
  if (!sending_.empty()) flags |= kBusy;
  if (sending_.size() >= fifo_depth()) flags |= kTransmitFull;
  return flags;
}

u32 Pl011::read_data() {
  if (received_.empty()) return 0;
  const u8 byte = received_.front();
  received_.pop_front();
  exchange();
  update_line();
  return byte;
}

void Pl011::write_data(u8 byte) {
  if (control_ & kLoopback) {
    if (received_.size() < fifo_depth()) received_.push_back(byte);
    raw_ |= kTransmitInterrupt;
  } else if (sending_.size() < fifo_depth()) {
    // Whether the transmitter is enabled does not matter: an early console expects firmware to have done it.
    sending_.push_back(byte);
  }
  exchange();
  update_line();
}

u32 Pl011::read32(u64 offset) {
  const std::scoped_lock lock(mutex_);
  switch (offset) {
    case kData:
      return read_data();
    case kFlags:
      return flags();
    case kLowPower:
      return low_power_;
    case kIntegerDivisor:
      return integer_divisor_;
    case kFractionDivisor:
      return fraction_divisor_;
    case kLineControl:
      return line_control_;
    case kControl:
      return control_;
    case kFifoLevels:
      return fifo_levels_;
    case kMask:
      return mask_;
    case kRaw:
      return raw_;
    case kMasked:
      return raw_ & mask_;
    default:
      return primecell_id(offset, kPeripheralId);
  }
}

void Pl011::write32(u64 offset, u32 value) {
  const std::scoped_lock lock(mutex_);
  if (offset == kData) return write_data(static_cast<u8>(value));
  write_register(offset, value);
  update_line();
}

void Pl011::write_register(u64 offset, u32 value) {
  switch (offset) {
    case kLowPower:
      low_power_ = value & 0xff;
      break;
    case kIntegerDivisor:
      integer_divisor_ = value & 0xffff;
      break;
    case kFractionDivisor:
      fraction_divisor_ = value & 0x3f;
      break;
    case kLineControl:
      line_control_ = value & 0xff;
      exchange();
      break;
    case kControl:
      control_ = value & 0xff87;
      break;
    case kFifoLevels:
      fifo_levels_ = value & 0x3f;
      update_receive_interrupts();
      break;
    case kMask:
      mask_ = value & 0x7ff;
      break;
    case kClear:
      raw_ &= ~value;
      break;
    default:
      break;
  }
}

}  // namespace tiercel::system
