// PL011 UART. Arm DDI 0183, "Programmers Model".
#pragma once

#include <deque>
#include <mutex>

#include "system/bus/irq_line.h"
#include "system/devices/registers32.h"
#include "system/host/char_port.h"

namespace tiercel::system {

/// Bytes pass at once whatever the baud rate says, so that the transmitter is busy only while the outside has no room,
/// and the receive timeout is zero. Modem lines are always ready; there are no line errors and no DMA.
class Pl011 final : public Registers32 {
 public:
  Pl011(CharPort& port, IrqLine irq);
  void reset() override;
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

 protected:
  u32 read32(u64 offset) override;
  void write32(u64 offset, u32 value) override;

 private:
  // All with the lock held.
  std::size_t fifo_depth() const;
  u32 flags() const;
  u32 read_data();
  void write_data(u8 byte);
  void write_register(u64 offset, u32 value);
  void exchange();
  void update_receive_interrupts();
  void update_line() { irq_.set((raw_ & mask_) != 0); }

  CharPort& port_;
  IrqLine irq_;
  std::mutex mutex_;
  std::deque<u8> received_, sending_;
  u32 raw_ = 0;   // UARTRIS
  u32 mask_ = 0;  // UARTIMSC
  u32 low_power_ = 0, integer_divisor_ = 0, fraction_divisor_ = 0, line_control_ = 0, control_ = 0, fifo_levels_ = 0;
};

}  // namespace tiercel::system
