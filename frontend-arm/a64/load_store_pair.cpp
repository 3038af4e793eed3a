// Arm ARM (DDI 0487), "Loads and Stores": pairs of registers.
//
// Both halves are accessed before any Set, and in address order. When the second access faults, the first store has
// happened: the manual allows it.
#include <array>

#include "frontend-arm/a64/load_store.h"
#include "frontend-arm/a64/slices.h"

namespace tiercel::arm {
namespace {

using namespace memory;

template <bool is_load, u32 log2, Kind kind, Mode mode>
bool pair(Translate& t, Imm<7> imm, u32 rt2, Reg n, u32 rt) {
  constexpr Data data{log2, kind};
  constexpr MemAttr attr = data.attr();
  const Value base = t.x_or_sp(Type::I64, n);
  const s64 offset = imm.sext() * (1 << log2), disp = mode == Mode::Post ? 0 : offset;
  if constexpr (is_load) {
    const Value first = t.ir.load(data.type(), base, disp, attr);
    const Value second = t.ir.load(data.type(), base, disp + (1 << log2), attr);
    set_loaded(t, data, rt, first);
    set_loaded(t, data, rt2, second);
  } else {
    const Value first = stored(t, data, rt), second = stored(t, data, rt2);
    t.ir.store(base, disp, first, attr);
    t.ir.store(base, disp + (1 << log2), second, attr);
  }
  if (mode != Mode::Offset) t.set_x_or_sp(n, t.ir.add(base, t.ir.i64(static_cast<u64>(offset))));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    // Load/store no-allocate pair (offset)
    row<"00 101 0 000 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Zero, Mode::Offset>>(
        "stnp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]", "STNP"),
    row<"00 101 0 000 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Zero, Mode::Offset>>(
        "ldnp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]", "LDNP"),
    row<"10 101 0 000 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Zero, Mode::Offset>>(
        "stnp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]", "STNP"),
    row<"10 101 0 000 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Zero, Mode::Offset>>(
        "ldnp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]", "LDNP"),
    row<"00 101 1 000 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Simd, Mode::Offset>>(
        "stnp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]", "STNP (SIMD&FP)"),
    row<"00 101 1 000 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Simd, Mode::Offset>>(
        "ldnp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]", "LDNP (SIMD&FP)"),
    row<"01 101 1 000 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Simd, Mode::Offset>>(
        "stnp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]", "STNP (SIMD&FP)"),
    row<"01 101 1 000 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Simd, Mode::Offset>>(
        "ldnp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]", "LDNP (SIMD&FP)"),
    row<"10 101 1 000 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 4, Kind::Simd, Mode::Offset>>(
        "stnp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]", "STNP (SIMD&FP)"),
    row<"10 101 1 000 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 4, Kind::Simd, Mode::Offset>>(
        "ldnp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]", "LDNP (SIMD&FP)"),
    // Load/store pair (post-indexed)
    row<"00 101 0 001 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Zero, Mode::Post>>(
        "stp {Rt:w}, {Rt2:w}, [{Rn:xs}], #{imm:s*4}", "STP"),
    row<"00 101 0 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Zero, Mode::Post>>(
        "ldp {Rt:w}, {Rt2:w}, [{Rn:xs}], #{imm:s*4}", "LDP"),
    row<"01 101 0 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::SignX, Mode::Post>>(
        "ldpsw {Rt:x}, {Rt2:x}, [{Rn:xs}], #{imm:s*4}", "LDPSW"),
    row<"10 101 0 001 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Zero, Mode::Post>>(
        "stp {Rt:x}, {Rt2:x}, [{Rn:xs}], #{imm:s*8}", "STP"),
    row<"10 101 0 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Zero, Mode::Post>>(
        "ldp {Rt:x}, {Rt2:x}, [{Rn:xs}], #{imm:s*8}", "LDP"),
    row<"00 101 1 001 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Simd, Mode::Post>>(
        "stp {Rt:S}, {Rt2:S}, [{Rn:xs}], #{imm:s*4}", "STP (SIMD&FP)"),
    row<"00 101 1 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Simd, Mode::Post>>(
        "ldp {Rt:S}, {Rt2:S}, [{Rn:xs}], #{imm:s*4}", "LDP (SIMD&FP)"),
    row<"01 101 1 001 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Simd, Mode::Post>>(
        "stp {Rt:d}, {Rt2:d}, [{Rn:xs}], #{imm:s*8}", "STP (SIMD&FP)"),
    row<"01 101 1 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Simd, Mode::Post>>(
        "ldp {Rt:d}, {Rt2:d}, [{Rn:xs}], #{imm:s*8}", "LDP (SIMD&FP)"),
    row<"10 101 1 001 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 4, Kind::Simd, Mode::Post>>(
        "stp {Rt:q}, {Rt2:q}, [{Rn:xs}], #{imm:s*16}", "STP (SIMD&FP)"),
    row<"10 101 1 001 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 4, Kind::Simd, Mode::Post>>(
        "ldp {Rt:q}, {Rt2:q}, [{Rn:xs}], #{imm:s*16}", "LDP (SIMD&FP)"),
    // Load/store pair (offset)
    row<"00 101 0 010 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Zero, Mode::Offset>>(
        "stp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]", "STP"),
    row<"00 101 0 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Zero, Mode::Offset>>(
        "ldp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]", "LDP"),
    row<"01 101 0 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::SignX, Mode::Offset>>(
        "ldpsw {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*4}]", "LDPSW"),
    row<"10 101 0 010 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Zero, Mode::Offset>>(
        "stp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]", "STP"),
    row<"10 101 0 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Zero, Mode::Offset>>(
        "ldp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]", "LDP"),
    row<"00 101 1 010 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Simd, Mode::Offset>>(
        "stp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]", "STP (SIMD&FP)"),
    row<"00 101 1 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Simd, Mode::Offset>>(
        "ldp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]", "LDP (SIMD&FP)"),
    row<"01 101 1 010 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Simd, Mode::Offset>>(
        "stp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]", "STP (SIMD&FP)"),
    row<"01 101 1 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Simd, Mode::Offset>>(
        "ldp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]", "LDP (SIMD&FP)"),
    row<"10 101 1 010 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 4, Kind::Simd, Mode::Offset>>(
        "stp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]", "STP (SIMD&FP)"),
    row<"10 101 1 010 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 4, Kind::Simd, Mode::Offset>>(
        "ldp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]", "LDP (SIMD&FP)"),
    // Load/store pair (pre-indexed)
    row<"00 101 0 011 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Zero, Mode::Pre>>(
        "stp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]!", "STP"),
    row<"00 101 0 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Zero, Mode::Pre>>(
        "ldp {Rt:w}, {Rt2:w}, [{Rn:xs}, #{imm:s*4}]!", "LDP"),
    row<"01 101 0 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::SignX, Mode::Pre>>(
        "ldpsw {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*4}]!", "LDPSW"),
    row<"10 101 0 011 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Zero, Mode::Pre>>(
        "stp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]!", "STP"),
    row<"10 101 0 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Zero, Mode::Pre>>(
        "ldp {Rt:x}, {Rt2:x}, [{Rn:xs}, #{imm:s*8}]!", "LDP"),
    row<"00 101 1 011 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 2, Kind::Simd, Mode::Pre>>(
        "stp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]!", "STP (SIMD&FP)"),
    row<"00 101 1 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 2, Kind::Simd, Mode::Pre>>(
        "ldp {Rt:S}, {Rt2:S}, [{Rn:xs}, #{imm:s*4}]!", "LDP (SIMD&FP)"),
    row<"01 101 1 011 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 3, Kind::Simd, Mode::Pre>>(
        "stp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]!", "STP (SIMD&FP)"),
    row<"01 101 1 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 3, Kind::Simd, Mode::Pre>>(
        "ldp {Rt:d}, {Rt2:d}, [{Rn:xs}, #{imm:s*8}]!", "LDP (SIMD&FP)"),
    row<"10 101 1 011 0 imm:7 Rt2:5 Rn:5 Rt:5", pair<false, 4, Kind::Simd, Mode::Pre>>(
        "stp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]!", "STP (SIMD&FP)"),
    row<"10 101 1 011 1 imm:7 Rt2:5 Rn:5 Rt:5", pair<true, 4, Kind::Simd, Mode::Pre>>(
        "ldp {Rt:q}, {Rt2:q}, [{Rn:xs}, #{imm:s*16}]!", "LDP (SIMD&FP)"),
});

}  // namespace

std::span<const Row> load_store_pair_rows() {
  return kRows;
}

}  // namespace tiercel::arm
