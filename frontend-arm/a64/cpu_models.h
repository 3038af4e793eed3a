// What a machine's CPU says about itself. A model is frozen: its values change only together with its name or its
// golden test.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/types.h"
#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

struct IdValue {
  std::string_view name;
  u32 encoding;  // system_encoding
  u64 value;
};

struct CpuModel {
  std::string_view name;
  std::span<const IdValue> values;  // MPIDR_EL1 is the machine's
  u32 absent_features;              // bits of Feature whose insns are undefined
  u64 tcr_mask;                     // the bits of TCR_EL1 that exist
  bool pan, e0pd;
  bool gic_registers = true;  // the interrupt controller has its CPU interface in system registers

  std::optional<u64> value(u32 encoding) const;
  bool has(Feature f) const { return !(absent_features >> static_cast<unsigned>(f) & 1); }
};

/// The first one is the default. Null: no such model.
std::span<const CpuModel> cpu_models();
const CpuModel* find_cpu_model(std::string_view name, bool gic_registers);

}  // namespace tiercel::arm
