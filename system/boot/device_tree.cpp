#include "system/boot/device_tree.h"

#include <fmt/format.h>
#include <libfdt.h>

#include <algorithm>
#include <utility>

namespace tiercel::system {
namespace {

constexpr std::size_t kMostBytes = 2 << 20;  // Linux booting.rst: a device tree blob must not exceed 2 megabytes

void append(std::vector<u8>& out, u32 cell) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<u8>(cell >> shift));
}

int write_node(void* blob, const FdtNode& node) {
  if (const int error = fdt_begin_node(blob, node.name().c_str())) return error;
  for (const FdtNode::Property& p : node.properties())
    if (const int error = fdt_property(blob, p.name.c_str(), p.value.data(), static_cast<int>(p.value.size())))
      return error;
  for (const auto& child : node.children())
    if (const int error = write_node(blob, *child)) return error;
  return fdt_end_node(blob);
}

int write_blob(std::vector<u8>& blob, const FdtNode& root) {
  void* data = blob.data();
  if (const int error = fdt_create(data, static_cast<int>(blob.size()))) return error;
  if (const int error = fdt_finish_reservemap(data)) return error;
  if (const int error = write_node(data, root)) return error;
  return fdt_finish(data);
}

}  // namespace

FdtNode& FdtNode::child(std::string name) {
  for (const auto& child : children_)
    if (child->name_ == name) return *child;
  children_.push_back(std::make_unique<FdtNode>(std::move(name)));
  return *children_.back();
}

void FdtNode::put(std::string_view property, std::vector<u8> value) {
  const auto at =
      std::find_if(properties_.begin(), properties_.end(), [&](const Property& p) { return p.name == property; });
  if (at != properties_.end())
    at->value = std::move(value);
  else
    properties_.push_back({std::string(property), std::move(value)});
}

void FdtNode::set_cells(std::string_view property, const std::vector<u32>& cells) {
  std::vector<u8> value;
  for (const u32 cell : cells) append(value, cell);
  put(property, std::move(value));
}

void FdtNode::set_u64(std::string_view property, u64 value) {
  set_cells(property, {static_cast<u32>(value >> 32), static_cast<u32>(value)});
}

void FdtNode::set_strings(std::string_view property, std::initializer_list<std::string_view> values) {
  std::vector<u8> value;
  for (const std::string_view text : values) {
    value.insert(value.end(), text.begin(), text.end());
    value.push_back(0);
  }
  put(property, std::move(value));
}

Result<std::vector<u8>> flatten(const FdtNode& root) {
  std::vector<u8> blob(kMostBytes);
  if (const int error = write_blob(blob, root))
    return fail(0, fmt::format("cannot write the device tree: {}", fdt_strerror(error)));
  blob.resize(fdt_totalsize(blob.data()));
  return blob;
}

}  // namespace tiercel::system
