// PL031 real-time clock. Arm DDI 0224, "Programmers Model".
#pragma once

#include <mutex>

#include "system/bus/clock.h"
#include "system/bus/irq_line.h"
#include "system/devices/registers32.h"

namespace tiercel::system {

/// Counts the seconds of the clock's wall time, moved by what the guest loads.
class Pl031 final : public Registers32 {
 public:
  Pl031(Clock& clock, IrqLine irq);
  void reset() override;
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

 protected:
  u32 read32(u64 offset) override;
  void write32(u64 offset, u32 value) override;

 private:
  u32 seconds() const { return static_cast<u32>(clock_.wall_seconds()) + offset_; }
  void set_alarm();
  void alarm();
  void update_line() { irq_.set(raw_ && mask_); }

  Clock& clock_;
  IrqLine irq_;
  Clock::TimerId timer_;
  std::mutex mutex_;
  u32 offset_ = 0;  // added to wall time
  u32 match_ = 0, load_ = 0;
  bool raw_ = false, mask_ = false;
  bool armed_ = false;  // the alarm has not come since it was set
};

}  // namespace tiercel::system
