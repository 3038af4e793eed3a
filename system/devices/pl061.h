// PL061 GPIO. Arm DDI 0190, "Programmers Model". The board wires buttons to its inputs.
#pragma once

#include <mutex>

#include "system/bus/irq_line.h"
#include "system/devices/registers32.h"

namespace tiercel::system {

class Pl061 final : public Registers32 {
 public:
  explicit Pl061(IrqLine irq) : irq_(irq) {}
  void reset() override;
  void serialize(Archive& state) override;
  void describe(FdtNode& node) const override;

  /// What the outside drives pin `pin` (0 to 7) to. Any thread.
  void set_input(unsigned pin, bool level);

 protected:
  u32 read32(u64 offset) override;
  void write32(u64 offset, u32 value) override;

 private:
  u8 levels() const { return static_cast<u8>((outputs_ & direction_) | (inputs_ & ~direction_)); }
  void write_register(u64 offset, u8 value);
  void update(u8 before);

  IrqLine irq_;
  std::mutex mutex_;
  u8 inputs_ = 0, outputs_ = 0, direction_ = 0;
  u8 level_sensitive_ = 0, both_edges_ = 0, rising_or_high_ = 0, mask_ = 0, latched_ = 0, alternate_ = 0;
};

}  // namespace tiercel::system
