// Notices on a serial line that a Linux kernel has panicked and stays where it is.
//
// A kernel that somebody else started, firmware say, has no parameters of ours, and none of the drivers through which
// it would tell the machine need be there. It does write one last line, and then spins in the kernel for ever. A
// program can write the same line: so the machine must also have done nothing else for a while.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "system/bus/clock.h"
#include "system/host/char_port.h"

namespace tiercel::system {

class PanicWatch final : public CharPort {
 public:
  /// How the CPUs are watched. Any thread.
  struct Cpus {
    std::function<void()> watch;        // from now on
    std::function<bool()> only_spun;    // what they have done since
    std::function<void()> on_panicked;  // called once, on the clock's thread
  };
  PanicWatch(CharPort& line, Clock& clock, Cpus cpus);

  bool panicked() const { return panicked_; }

  std::size_t write(std::span<const u8> bytes) override;
  std::size_t read(std::span<u8> out) override { return line_.read(out); }
  std::size_t available() const override { return line_.available(); }
  void on_change(std::function<void()> hook) override { line_.on_change(std::move(hook)); }
  void drain() override { line_.drain(); }

 private:
  void take(u8 byte);
  void look();

  CharPort& line_;
  Clock& clock_;
  Cpus cpus_;
  Clock::TimerId timer_;
  std::string text_;                                 // of the present line, as much as matters
  std::atomic<u64> suspected_until_{Clock::kNever};  // kNever: nothing is suspected
  std::atomic<bool> panicked_{false};
};

}  // namespace tiercel::system
