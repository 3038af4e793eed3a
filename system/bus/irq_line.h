// One wire to an interrupt controller.
#pragma once

#include "base/types.h"

namespace tiercel::system {

/// What wires end in. Called by any thread, with the caller's device lock held.
class IrqSink {
 public:
  virtual ~IrqSink() = default;
  virtual void set_line(u32 number, bool level) = 0;
};

/// A copyable handle. One that is connected to nothing is silent.
class IrqLine {
 public:
  IrqLine() = default;
  IrqLine(IrqSink& sink, u32 number) : sink_(&sink), number_(number) {}

  void set(bool level) const {
    if (sink_) sink_->set_line(number_, level);
  }
  /// A rising edge.
  void pulse() const {
    set(true);
    set(false);
  }

 private:
  IrqSink* sink_ = nullptr;
  u32 number_ = 0;
};

}  // namespace tiercel::system
