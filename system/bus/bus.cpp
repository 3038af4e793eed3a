#include "system/bus/bus.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/bits.h"
#include "base/check.h"

namespace tiercel::system {
namespace {

u64 load_bytes(const u8* from, unsigned bytes) {
  u64 value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

}  // namespace

void Bus::insert(const Region& region) {
  CHECK(region.size != 0 && region.base + region.size - 1 >= region.base);
  const auto at = std::upper_bound(regions_.begin(), regions_.end(), region.base,
                                   [](u64 base, const Region& r) { return base < r.base; });
  CHECK_MSG(at == regions_.end() || at->base - region.base >= region.size, "two regions of the bus overlap");
  CHECK_MSG(at == regions_.begin() || region.base - std::prev(at)->base >= std::prev(at)->size,
            "two regions of the bus overlap");
  regions_.insert(at, region);
  const auto ram = std::max_element(regions_.begin(), regions_.end(), [](const Region& a, const Region& b) {
    return std::pair(!a.device, a.size) < std::pair(!b.device, b.size);
  });
  largest_ = static_cast<std::size_t>(ram - regions_.begin());
}

void Bus::add_ram(PAddr base, std::span<u8> memory) {
  CHECK(is_aligned(base.value, kPageSize) && is_aligned(memory.size(), kPageSize));
  insert({base.value, memory.size(), memory.data(), nullptr});
}

void Bus::add_device(PAddr base, u64 size, Device& device) {
  insert({base.value, size, nullptr, &device, false});
}

void Bus::add_rom(PAddr base, std::span<u8> memory, Device& device) {
  CHECK(is_aligned(base.value, kPageSize) && is_aligned(memory.size(), kPageSize));
  insert({base.value, memory.size(), memory.data(), &device});
}

const Bus::Region* Bus::find(u64 address) const {
  if (largest_ < regions_.size() && address - regions_[largest_].base < regions_[largest_].size)
    return &regions_[largest_];
  auto at =
      std::upper_bound(regions_.begin(), regions_.end(), address, [](u64 a, const Region& r) { return a < r.base; });
  if (at == regions_.begin()) return nullptr;
  --at;
  return address - at->base < at->size ? &*at : nullptr;
}

void Bus::set_readable(PAddr base, bool readable) {
  for (Region& region : regions_) {
    if (region.base != base.value) continue;
    CHECK(region.memory && region.device);
    if (std::atomic_ref(region.readable).exchange(readable) != readable && on_remap_) on_remap_();
  }
}

Bus::Direct Bus::direct(PAddr address) const {
  const Region* region = find(address.value);
  if (!region || !region->memory) return {};
  if (!std::atomic_ref(const_cast<bool&>(region->readable)).load()) return {};
  const u64 offset = address.value - region->base;
  return {region->memory + offset, region->size - offset, region->device == nullptr};
}

std::optional<u64> Bus::read(PAddr address, unsigned bytes) {
  const Region* region = find(address.value);
  if (!region) return std::nullopt;
  const u64 offset = address.value - region->base;
  if (region->size - offset < bytes || (region->device && !is_aligned(offset, bytes))) {
    u64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      const std::optional<u64> byte = read(address + i, 1);
      if (!byte) return std::nullopt;
      value |= *byte << (8 * i);
    }
    return value;
  }
  if (!region->device) return load_bytes(region->memory + offset, bytes);
  return region->device->read(offset, bytes) & low_mask(8 * bytes);
}

bool Bus::write(PAddr address, unsigned bytes, u64 value) {
  const Region* region = find(address.value);
  if (!region) return false;
  const u64 offset = address.value - region->base;
  if (region->size - offset < bytes || (region->device && !is_aligned(offset, bytes))) {
    for (unsigned i = 0; i < bytes; ++i)
      if (!write(address + i, 1, (value >> (8 * i)) & 0xff)) return false;
    return true;
  }
  if (region->device)
    region->device->write(offset, bytes, value & low_mask(8 * bytes));
  else
    std::memcpy(region->memory + offset, &value, bytes);
  return true;
}

std::span<u8> Bus::ram(PAddr address, u64 bytes) const {
  const Region* region = find(address.value);
  if (!region || region->device) return {};
  const u64 offset = address.value - region->base;
  if (region->size - offset < bytes) return {};
  return {region->memory + offset, bytes};
}

bool Bus::load(PAddr address, std::span<u8> out) const {
  const std::span<u8> memory = ram(address, out.size());
  if (memory.size() != out.size()) return false;
  if (!out.empty()) std::memcpy(out.data(), memory.data(), out.size());
  return true;
}

bool Bus::store(PAddr address, std::span<const u8> in) {
  const std::span<u8> memory = ram(address, in.size());
  if (memory.size() != in.size()) return false;
  if (!in.empty()) std::memcpy(memory.data(), in.data(), in.size());
  written(address, in.size());
  return true;
}

void Bus::written(PAddr address, u64 bytes) {
  if (bytes != 0 && on_written_) on_written_(address, bytes);
}

}  // namespace tiercel::system
