// The flattened device tree. Devicetree Specification 0.4; written with libfdt.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::system {

/// The phandles that one node uses to name another.
enum Phandle : u32 { kInterruptController = 1, kApbClock, kMsiController, kGpio };

/// A node under construction. Properties and children keep the order in which they were added.
class FdtNode {
 public:
  explicit FdtNode(std::string name) : name_(std::move(name)) {}

  /// Adds it, or gives the one of that name.
  FdtNode& child(std::string name);
  void set(std::string_view property) { put(property, {}); }
  void set_cells(std::string_view property, const std::vector<u32>& cells);
  void set_u64(std::string_view property, u64 value);
  void set_string(std::string_view property, std::string_view value) { set_strings(property, {value}); }
  void set_strings(std::string_view property, std::initializer_list<std::string_view> values);
  void set_bytes(std::string_view property, std::vector<u8> bytes) { put(property, std::move(bytes)); }

  struct Property {
    std::string name;
    std::vector<u8> value;
  };
  const std::string& name() const { return name_; }
  const std::vector<Property>& properties() const { return properties_; }
  const std::vector<std::unique_ptr<FdtNode>>& children() const { return children_; }

 private:
  /// Adds it, or replaces the value.
  void put(std::string_view property, std::vector<u8> value);

  std::string name_;
  std::vector<Property> properties_;
  std::vector<std::unique_ptr<FdtNode>> children_;
};

/// The blob that a kernel is given.
Result<std::vector<u8>> flatten(const FdtNode& root);

}  // namespace tiercel::system
