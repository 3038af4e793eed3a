#include "system/boards/board.h"

#include <fmt/format.h>

namespace tiercel::system {
namespace {

constexpr u32 kSharedPeripheral = 0;            // the first cell of an interrupt
constexpr u32 kEdgeRising = 1, kLevelHigh = 4;  // the third

}  // namespace

void set_reg(FdtNode& node, std::initializer_list<MemoryRange> ranges) {
  std::vector<u32> cells;
  for (const MemoryRange& r : ranges)
    for (const u64 number : {r.base.value, r.bytes})
      cells.insert(cells.end(), {static_cast<u32>(number >> 32), static_cast<u32>(number)});
  node.set_cells("reg", cells);
}

Board::Board() {
  tree_.set_cells("#address-cells", {2});
  tree_.set_cells("#size-cells", {2});
}

Board::~Board() {
  while (!owned_.empty()) owned_.pop_back();
}

void Board::add_ram(PAddr base, Ram ram) {
  if (rams_.empty()) main_memory_ = {base, ram.size()};
  rams_.push_back(std::move(ram));
  bus_.add_ram(base, rams_.back().bytes());
  FdtNode& node = tree_.child(fmt::format("memory@{:x}", base.value));
  node.set_string("device_type", "memory");
  set_reg(node, {{base, rams_.back().size()}});
  memories_.push_back({node.name(), rams_.back().bytes()});
}

void Board::attach_unnamed(MemoryRange at, Device& device) {
  bus_.add_device(at.base, at.bytes, device);
  devices_.push_back({fmt::format("device@{:x}", at.base.value), &device});
}

FdtNode& Board::attach(const std::string& name, MemoryRange at, Device& device,
                       std::initializer_list<FdtInterrupt> interrupts, FdtNode* parent) {
  attach_unnamed(at, device);
  devices_.back().name = fmt::format("{}@{:x}", name, at.base.value);
  FdtNode& node = (parent ? *parent : tree_).child(fmt::format("{}@{:x}", name, at.base.value));
  set_reg(node, {at});
  std::vector<u32> cells;
  for (const FdtInterrupt& i : interrupts)
    cells.insert(cells.end(), {kSharedPeripheral, i.spi, i.edge ? kEdgeRising : kLevelHigh});
  if (!cells.empty()) node.set_cells("interrupts", cells);
  device.describe(node);
  return node;
}

FdtNode& Board::attach_rom(const std::string& name, MemoryRange at, std::span<u8> memory, Device& device) {
  bus_.add_rom(at.base, memory, device);
  const std::string full_name = fmt::format("{}@{:x}", name, at.base.value);
  devices_.push_back({full_name, &device});
  memories_.push_back({full_name + " array", memory});
  FdtNode& node = tree_.child(full_name);
  set_reg(node, {at});
  device.describe(node);
  return node;
}

void Board::reset() {
  for (const Attached& a : devices_) a.device->reset();
}

Result<void> Board::serialize(Snapshot& snapshot) {
  for (const Memory& m : memories_)
    if (Result<void> done = snapshot.memory(m.name, m.bytes); !done) return done;
  for (const Attached& a : devices_)
    if (Result<void> done = snapshot.section(a.name, [&a](Archive& state) { a.device->serialize(state); }); !done)
      return done;
  return {};
}

}  // namespace tiercel::system
