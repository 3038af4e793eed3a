// The state of a core that comes from a snapshot. It is as good as anybody's bytes: what translated code and the core
// rely on is verified.
#include <algorithm>

#include "frontend-arm/a64/cpu_models.h"
#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/a64_system_frontend.h"
#include "frontend-arm/core/pmu.h"

namespace tiercel::arm {
namespace {

constexpr u32 kFpcrBits = 0x07c0'0000;  // AHP, DN, FZ, RMode
constexpr u64 kTcrEncoding = system_encoding(3, 0, 2, 0, 2);

u64 mix(u64 hash, u64 value) {
  return (hash ^ value) * 0x100'0000'01b3;
}

}  // namespace

bool A64Core::restore(u64 affinity) {
  affinity_ = affinity;
  constexpr u32 kModeBits = pstate::kSpSel | pstate::kEl1 | pstate::kIl | pstate::kPan | pstate::kSs;
  if ((s_.pstate & ~kModeBits) != 0 || (!model_.pan && (s_.pstate & pstate::kPan))) return false;
  if ((s_.pstate & pstate::kSpSel) && s_.el() == 0) return false;
  if ((s_.daif & ~pstate::kDaif) != 0 || (s_.fpcr & ~kFpcrBits) != 0) return false;
  if (s_.os_lock > 1 || s_.debug_claim > 0xff || !pmu_is_sane(s_.pmu)) return false;
  write_nzcv(s_, read_nzcv(s_));
  return std::ranges::all_of(system_registers(), [this](const SystemRegister& r) {
    const u64 value = r.in(s_);
    const u64 model_bits = r.encoding == kTcrEncoding ? model_.tcr_mask : ~u64{0};
    return value == r.written(value) && (value & ~model_bits) == 0;
  });
}

u64 fingerprint(const CpuModel& model) {
  u64 hash = mix(mix(0, model.absent_features), model.tcr_mask);
  hash = mix(hash, (model.pan ? 1 : 0) | (model.e0pd ? 2 : 0) | (model.gic_registers ? 4 : 0));
  for (const IdValue& v : model.values) hash = mix(mix(hash, v.encoding), v.value);
  return hash;
}

}  // namespace tiercel::arm
