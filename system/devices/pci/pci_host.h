// A host bridge with one bus and its configuration space in memory (ECAM). PCI Express Base Specification, "PCI Express
// Enhanced Configuration Access Mechanism".
#pragma once

#include <array>

#include "system/bus/device.h"
#include "system/bus/irq_line.h"
#include "system/devices/pci/pci_function.h"

namespace tiercel::system {

class PciHost final : public Device {
 public:
  static constexpr unsigned kSlots = 32;
  static constexpr unsigned kIntxLines = 4;
  static constexpr u64 kEcamBytes = 1 << 20;  // of one bus

  /// The lines that slots' INTA go to: slot n to line n modulo 4.
  explicit PciHost(const std::array<IrqLine, kIntxLines>& intx);

  /// Function 0 of a slot, before the machine runs.
  void add(unsigned slot, PciFunction& function);

  // Configuration space.
  u64 read(u64 offset, unsigned bytes) override;
  void write(u64 offset, unsigned bytes, u64 value) override;
  void reset() override;
  void serialize(Archive& state) override;

  /// A window onto PCI memory addresses, one to one.
  class Window final : public Device {
   public:
    Window(PciHost& host, PAddr base) : host_(host), base_(base) {}
    u64 read(u64 offset, unsigned bytes) override;
    void write(u64 offset, unsigned bytes, u64 value) override;
    void reset() override {}
    void serialize(Archive&) override {}

   private:
    PciHost& host_;
    PAddr base_;
  };

 private:
  /// The wire that several slots share: high while any of them drives it.
  class SharedLine final : public IrqSink {
   public:
    void connect(IrqLine line) { line_ = line; }
    void set_line(u32 slot, bool level) override;

   private:
    std::mutex mutex_;
    u32 driving_ = 0;  // a bit per slot
    IrqLine line_;
  };

  std::array<PciFunction*, kSlots> functions_ = {};
  std::array<SharedLine, kIntxLines> lines_;
};

}  // namespace tiercel::system
