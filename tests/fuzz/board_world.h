// What surrounds a board that is fuzzed.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "system/boards/virt.h"

namespace tiercel::test {

using namespace tiercel::system;

/// Takes numbers from the input, zeroes behind its end.
class Reader {
 public:
  Reader(const u8* data, std::size_t size) : data_(data), size_(size) {}
  bool more() const { return size_ != 0; }
  template <typename T>
  T next() {
    T value = 0;
    const std::size_t n = std::min(size_, sizeof value);
    std::memcpy(&value, data_, n);
    data_ += n, size_ -= n;
    return value;
  }

 private:
  const u8* data_;
  std::size_t size_;
};

class MemoryDisk final : public BlockStore {
 public:
  u64 size() const override { return bytes_.size(); }
  bool read_only() const override { return false; }
  Result<void> read(u64 offset, std::span<const iovec> to) override {
    for (const iovec& v : to) std::memcpy(v.iov_base, at(offset, v.iov_len), v.iov_len), offset += v.iov_len;
    return {};
  }
  Result<void> write(u64 offset, std::span<const iovec> from) override {
    for (const iovec& v : from) std::memcpy(at(offset, v.iov_len), v.iov_base, v.iov_len), offset += v.iov_len;
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> zero(u64 offset, u64 bytes, bool) override {
    std::memset(at(offset, bytes), 0, bytes);
    return {};
  }
  void discard(u64 offset, u64 bytes) override { at(offset, bytes); }
  Result<void> serialize(Snapshot&, const std::string&) override { return {}; }

 private:
  u8* at(u64 offset, u64 bytes) {
    CHECK(offset <= bytes_.size() && bytes <= bytes_.size() - offset);
    return bytes_.data() + offset;
  }
  std::array<u8, 64 << 10> bytes_ = {};
};

class Terminal final : public CharPort {
 public:
  std::size_t write(std::span<const u8> bytes) override { return bytes.size() / 2 + bytes.size() % 2; }
  std::size_t read(std::span<u8> out) override {
    const std::size_t n = std::min(out.size(), typed_);
    std::fill_n(out.begin(), n, u8{'k'});
    typed_ -= n;
    return n;
  }
  std::size_t available() const override { return typed_; }
  void on_change(std::function<void()> hook) override { hook_ = std::move(hook); }
  void type(std::size_t n) {
    typed_ = n;
    hook_();
  }

 private:
  std::size_t typed_ = 0;
  std::function<void()> hook_;
};

class Cable final : public PacketPort {
 public:
  void send(std::span<const u8> frame) override { last_.assign(frame.begin(), frame.end()); }
  void on_receive(std::function<void(std::span<const u8>)> hook) override { hook_ = std::move(hook); }
  void echo() { hook_(last_); }

 private:
  std::vector<u8> last_;
  std::function<void(std::span<const u8>)> hook_;
};

constexpr u64 kRam = 0x4000'0000, kRamBytes = 1 << 20;

/// A small board for two CPUs with one device of each kind, made of what `world` has. Without flash.
template <typename World>
VirtOptions board_options(World& world, bool pci, unsigned gic) {
  VirtOptions options;
  options.virtio_on_pci = pci;
  options.cpus = 2;
  options.gic = gic;
  options.ram_bytes = kRamBytes;
  options.clock = &world.clock;
  options.interrupts = &world.cpus;
  options.loop = world.loop.get();
  options.serial = &world.serial;
  options.console = &world.console;
  options.entropy = [](std::span<u8> out) { std::fill(out.begin(), out.end(), u8{1}); };
  options.disks = {{&world.disk, world.loop.get()}};
  options.networks = {{&world.cable, {2, 0, 0, 0, 0, 1}}};
  return options;
}

/// A virtio device, set up as a driver would, with its queues' areas one after the other: so that the rest of the input
/// goes into the requests.
inline void start_virtio(Bus& bus, unsigned slot) {
  const PAddr at{0x0a00'0000 + 0x200 * u64{slot}};
  const auto set = [&](u64 offset, u32 value) { bus.write(at + offset, 4, value); };
  set(0x70, 0), set(0x70, 3);
  set(0x24, 1), set(0x20, 1), set(0x24, 0), set(0x20, 1 << 28);
  set(0x70, 11);
  for (u32 q = 0; q < 2; ++q) {
    const u32 area = kRam + 0x1000 * q;
    set(0x30, q), set(0x38, 8);
    set(0x80, area), set(0x84, 0);
    set(0x90, area + 0x100), set(0x94, 0);
    set(0xa0, area + 0x200), set(0xa4, 0);
    set(0x44, 1);
  }
  set(0x70, 15);
}

}  // namespace tiercel::test
