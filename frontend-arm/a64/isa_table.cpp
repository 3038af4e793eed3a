#include "frontend-arm/a64/isa_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/check.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

/// From most to least fixed bits, in the slices' order among equals. A counting sort: this runs at every start.
std::vector<Row> all_rows() {
  const std::span<const Row> slices[] = {
      add_sub_immediate_rows(),
      data_processing_immediate_rows(),
      data_processing_register_rows(),
      data_processing_sources_rows(),
      branches_rows(),
      system_rows(),
      load_store_rows(),
      load_store_pair_rows(),
      atomics_rows(),
      fp_arithmetic_rows(),
      fp_compare_rows(),
      fp_convert_rows(),
      simd_structures_rows(),
      simd_three_same_rows(),
      simd_three_same_fp_rows(),
      simd_three_different_rows(),
      simd_two_reg_misc_rows(),
      simd_two_reg_misc_fp_rows(),
      simd_across_lanes_rows(),
      simd_copy_rows(),
      simd_permute_rows(),
      simd_modified_immediate_rows(),
      simd_shift_immediate_rows(),
      simd_by_element_rows(),
      simd_scalar_rows(),
      simd_scalar_fp_rows(),
      simd_scalar_shift_immediate_rows(),
      crypto_rows(),
  };
  const auto free_bits = [](const Row& r) { return 32 - std::popcount(r.mask); };
  std::array<u32, 33> next{};  // per number of free bits: how many, then where the next one goes
  for (const auto slice : slices)
    for (const Row& r : slice) ++next[free_bits(r)];
  u32 total = 0;
  for (u32& n : next) total += std::exchange(n, total);
  std::vector<Row> rows(total);
  for (const auto slice : slices)
    for (const Row& r : slice) rows[next[free_bits(r)]++] = r;
  return rows;
}

bool is_one_of(std::string_view mnemonic, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), mnemonic) != list.end();
}

/// Arm ARM, "A64 instruction set encoding": bits 28..25 name the group. Data processing never faults.
FlagEffect flag_effect_of(const Row& r) {
  const bool immediate = (r.mask >> 26 & 7) == 7 && (r.value >> 26 & 7) == 4;
  const bool register_or_simd = (r.mask >> 25 & 7) == 7 && ((r.value >> 25 & 7) == 5 || (r.value >> 25 & 7) == 7);
  if (r.kind != RowKind::Implemented) return FlagEffect::Unknown;
  if (r.manual == "NOP") return FlagEffect::None;
  if (!immediate && !register_or_simd) return FlagEffect::Unknown;
  const std::string_view m = r.mnemonic();
  if (is_one_of(m, {"adds", "subs", "ands", "bics", "fcmp", "fcmpe"})) return FlagEffect::Overwrites;
  if (is_one_of(m, {"adc", "adcs", "sbc", "sbcs", "csel", "csinc", "csinv", "csneg", "ccmp", "ccmn", "fccmp", "fccmpe",
                    "fcsel"}))
    return FlagEffect::Unknown;
  return FlagEffect::None;
}

}  // namespace

A64Table::A64Table() : rows_(all_rows()), first_(std::size_t{1} << kHotBits) {
  CHECK(rows_.size() < kNone);
  keys_.reserve(rows_.size());
  for (const Row& r : rows_) {
    keys_.push_back({r.mask, r.value, r.valid != nullptr});
    flag_effects_.push_back(flag_effect_of(r));
  }
  // Every value of the hot bits that agrees with a row's fixed ones: all subsets of the free bits.
  const auto for_each_hot = [](const Row& r, auto visit) {
    const u32 free = ~hot_bits(r.mask) & low_mask(kHotBits);
    u32 subset = 0;
    do {
      visit(hot_bits(r.value) | subset);
      subset = (subset - free) & free;
    } while (subset != 0);
  };
  for (const Row& r : rows_) for_each_hot(r, [&](u32 hot) { ++first_[hot]; });
  u32 total = 0;
  for (u32& f : first_) total += std::exchange(f, total) + 1;  // one more for the end mark
  candidates_.assign(total, kNone);
  std::vector<u32> end = first_;
  for (u16 i = 0; i < rows_.size(); ++i) for_each_hot(rows_[i], [&](u32 hot) { candidates_[end[hot]++] = i; });
}

const A64Table& a64_table() {
  static const A64Table table;
  return table;
}

std::string_view feature_name(Feature f) {
  switch (f) {
    case Feature::BASE:
      return "BASE";
    case Feature::FP:
      return "FP";
    case Feature::ASIMD:
      return "ASIMD";
    case Feature::CRC32:
      return "CRC32";
    case Feature::AES:
      return "AES";
    case Feature::PMULL:
      return "PMULL";
    case Feature::SHA1:
      return "SHA1";
    case Feature::SHA256:
      return "SHA256";
    case Feature::LSE:
      return "LSE";
    case Feature::RDM:
      return "RDM";
    case Feature::FP16:
      return "FP16";
    case Feature::DOTPROD:
      return "DOTPROD";
    case Feature::RCPC:
      return "RCPC";
    case Feature::JSCVT:
      return "JSCVT";
    case Feature::FCMA:
      return "FCMA";
    case Feature::FLAGM:
      return "FLAGM";
    case Feature::FHM:
      return "FHM";
    case Feature::SHA3:
      return "SHA3";
    case Feature::SHA512:
      return "SHA512";
    case Feature::SM4:
      return "SM4";
    case Feature::PAUTH:
      return "PAUTH";
    case Feature::MTE:
      return "MTE";
  }
  return "?";
}

}  // namespace tiercel::arm
