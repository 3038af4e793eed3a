// Every slice of the A64 table. A new slice is a .cpp file that defines one of these, and a line in isa_table.cpp.
#pragma once

#include <span>

#include "frontend-arm/isa_row.h"

namespace tiercel::arm {

std::span<const Row> add_sub_immediate_rows();

}  // namespace tiercel::arm
