// Stand-ins for what the devices under test are connected to.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "system/bus/irq_line.h"
#include "system/host/char_port.h"
#include "system/interrupt/gic3.h"

namespace tiercel::system {

/// Remembers the level of each line and how often it rose.
class Wires final : public IrqSink {
 public:
  explicit Wires(u32 lines) : level(lines), rises(lines) {}
  void set_line(u32 number, bool high) override {
    if (high && !level[number]) ++rises[number];
    level[number] = high;
  }
  IrqLine line(u32 number) { return {*this, number}; }
  std::vector<bool> level;
  std::vector<int> rises;
};

class FakePort final : public CharPort {
 public:
  std::size_t write(std::span<const u8> bytes) override {
    const std::size_t n = std::min(bytes.size(), room);
    room -= n;
    sent.append(bytes.begin(), bytes.begin() + static_cast<long>(n));
    return n;
  }
  std::size_t read(std::span<u8> out) override {
    const std::size_t n = std::min(out.size(), input.size());
    std::copy_n(input.begin(), n, out.begin());
    input.erase(0, n);
    return n;
  }
  std::size_t available() const override { return input.size(); }
  void on_change(std::function<void()> hook) override { changed = std::move(hook); }
  void type(const std::string& text) {
    input += text;
    changed();
  }
  std::string sent, input;
  std::size_t room = 1 << 20;
  std::function<void()> changed;
};

class FakeCpus final : public CpuInterrupts {
 public:
  explicit FakeCpus(unsigned cpus) : irq(cpus), fiq(cpus) {}
  void set_interrupts(unsigned cpu, bool i, bool f) override { irq[cpu] = i, fiq[cpu] = f; }
  unsigned current_cpu() const override { return current; }
  unsigned current = 0;  // who accesses devices
  std::vector<bool> irq, fiq;
};

}  // namespace tiercel::system
