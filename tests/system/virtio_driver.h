// A guest's side of a virtio-mmio device, as small as it can be.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "system/bus/bus.h"
#include "system/bus/ram.h"
#include "system/devices/virtio/virtio_mmio.h"
#include "system/host/event_loop.h"
#include "tests/system/fakes.h"

namespace tiercel::system {

/// RAM and an event loop without a thread.
struct VirtioWorld {
  static constexpr u64 kRam = 0x40000000, kRamBytes = 1 << 20;
  Ram ram = std::move(*Ram::create(kRamBytes));
  Bus bus;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create());
  Wires wires{1};
  VirtioWorld() { bus.add_ram(PAddr{kRam}, ram.bytes()); }
  VirtioDevice::Environment environment() { return {bus, *loop}; }
  u8* at(u64 address) { return ram.bytes().data() + (address - kRam); }
  template <typename T>
  void put(u64 address, T value) {
    std::memcpy(at(address), &value, sizeof value);
  }
  template <typename T>
  T get(u64 address) {
    T value;
    std::memcpy(&value, at(address), sizeof value);
    return value;
  }
};

class VirtioDriver {
 public:
  static constexpr u16 kSize = 16;
  /// Where queue `q` keeps its three areas and its data.
  static u64 descriptors(unsigned q) { return VirtioWorld::kRam + 0x10000 * (q + 1); }
  static u64 driver_area(unsigned q) { return descriptors(q) + 0x1000; }
  static u64 device_area(unsigned q) { return descriptors(q) + 0x2000; }
  static u64 data(unsigned q) { return descriptors(q) + 0x3000; }

  VirtioDriver(VirtioWorld& world, VirtioDevice& device) : world(world), slot(world.wires.line(0), &device) {}

  void set(u64 offset, u32 value) { slot.write(offset, 4, value); }
  u32 get(u64 offset) { return static_cast<u32>(slot.read(offset, 4)); }

  /// Negotiates everything but what `without` holds, and starts.
  void start(u64 without = VirtioDevice::kEventIndex) {
    set(0x70, 0);
    set(0x70, 3);
    for (u32 half = 0; half < 2; ++half) {
      set(0x14, half);
      set(0x24, half);
      set(0x20, get(0x10) & static_cast<u32>(~without >> (32 * half)));
    }
    set(0x70, 11);
    for (unsigned q = 0; queue_exists(q); ++q) {
      set(0x38, kSize);
      const u64 areas[] = {descriptors(q), driver_area(q), device_area(q)};
      for (u64 i = 0; i < 3; ++i) {
        set(0x80 + 16 * i, static_cast<u32>(areas[i]));
        set(0x84 + 16 * i, static_cast<u32>(areas[i] >> 32));
      }
      std::memset(world.at(descriptors(q)), 0, 0x3000);
      set(0x44, 1);
    }
    next.assign(8, 0);
    set(0x70, 15);
  }
  bool queue_exists(unsigned q) {
    set(0x30, q);
    return get(0x34) != 0;
  }

  void descriptor(unsigned q, u16 index, u64 address, u32 length, u16 flags, u16 following) {
    const u64 at = descriptors(q) + 16 * u64{index};
    world.put(at, address);
    world.put(at + 8, length);
    world.put(at + 12, flags);
    world.put(at + 14, following);
  }
  void offer(unsigned q, u16 head) {
    world.put(driver_area(q) + 4 + 2 * (u64{next[q]} % kSize), head);
    world.put(driver_area(q) + 2, ++next[q]);
  }
  void notify(unsigned q) {
    set(0x50, q);
    world.loop->run_once(0);
  }
  /// One request: `out` to the device in one descriptor, then room for `in` bytes. Gives the used length.
  u32 request(unsigned q, const std::string& out, u32 in) {
    const u64 room = data(q) + 0x4000;
    if (!out.empty()) std::memcpy(world.at(data(q)), out.data(), out.size());
    u16 head = 0;
    if (!out.empty()) descriptor(q, 0, data(q), static_cast<u32>(out.size()), in != 0 ? 1 : 0, 1);
    if (in != 0) descriptor(q, 1, room, in, 2, 0), head = out.empty() ? 1 : 0;
    const u16 before = used(q);
    offer(q, head);
    notify(q);
    if (used(q) != static_cast<u16>(before + 1)) return ~u32{0};
    return world.get<u32>(device_area(q) + 4 + 8 * (u64{before} % kSize) + 4);
  }
  std::string answer(unsigned q, u32 bytes) { return {reinterpret_cast<char*>(world.at(data(q) + 0x4000)), bytes}; }
  u16 used(unsigned q) { return world.get<u16>(device_area(q) + 2); }

  VirtioWorld& world;
  VirtioMmio slot;
  std::vector<u16> next;
};

}  // namespace tiercel::system
