// Every slice of the A64 table. A new slice is a .cpp file that defines one of these, and a line in isa_table.cpp.
// Loads and stores of general AND of SIMD&FP registers (LDR, STR, LDUR, LDP, LDNP, literal) share their addressing code
// and live in load_store*.cpp; the structure loads and stores (LD1..LD4, LD1R..) have a slice of their own.
#pragma once

#include <span>

#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

std::span<const Row> add_sub_immediate_rows();
std::span<const Row> data_processing_immediate_rows();
std::span<const Row> data_processing_register_rows();
std::span<const Row> data_processing_sources_rows();
std::span<const Row> branches_rows();
std::span<const Row> system_rows();
std::span<const Row> load_store_rows();
std::span<const Row> load_store_pair_rows();
std::span<const Row> atomics_rows();
std::span<const Row> fp_arithmetic_rows();
std::span<const Row> fp_compare_rows();
std::span<const Row> fp_convert_rows();
std::span<const Row> simd_structures_rows();
std::span<const Row> simd_three_same_rows();
std::span<const Row> simd_three_same_fp_rows();
std::span<const Row> simd_three_different_rows();
std::span<const Row> simd_two_reg_misc_rows();
std::span<const Row> simd_two_reg_misc_fp_rows();
std::span<const Row> simd_across_lanes_rows();
std::span<const Row> simd_copy_rows();
std::span<const Row> simd_permute_rows();
std::span<const Row> simd_modified_immediate_rows();
std::span<const Row> simd_shift_immediate_rows();
std::span<const Row> simd_by_element_rows();
std::span<const Row> simd_scalar_rows();
std::span<const Row> simd_scalar_fp_rows();
std::span<const Row> simd_scalar_shift_immediate_rows();
std::span<const Row> crypto_rows();

}  // namespace tiercel::arm
