// Arm ARM (DDI 0487), "Loads and Stores": exclusives, ordered accesses and the atomic operations of FEAT_LSE.
//
// An exclusive pair of instructions is a compare-and-swap: the load remembers address and value, the store succeeds if
// memory still holds that value. Against an A-B-A change by another thread this is weaker than a monitor, as it is in
// every translator that runs on compare-and-swap hosts; programs that rely on more than value equality would need the
// store to fail after any write, which the architecture promises but no compiled lock or counter depends on.
// All accesses here must be aligned (there is no FEAT_LSE2).
#include <array>

#include "frontend-arm/a64/slices.h"
#include "frontend-arm/a64/translate.h"

namespace tiercel::arm {
namespace {

constexpr Type type_of(u32 log2) {
  return log2 == 3 ? Type::I64 : Type::I32;
}
constexpr MemAttr ordered(u32 log2, bool acquire, bool release) {
  return {.size_log2 = static_cast<u8>(log2), .acquire = acquire, .release = release, .aligned = true};
}

// -- exclusives ------------------------------------------------------------------------------------------------------

constexpr u64 kNoExclusive = ~u64{0};

void clear_exclusive(Translate& t) {
  t.ir.set(slot::kExclAddr, t.ir.i64(kNoExclusive));
}

template <u32 log2, bool acquire>
bool ldxr(Translate& t, Reg n, Reg rt) {
  const Value address = t.x_or_sp(Type::I64, n);
  const Value v = t.ir.load(type_of(log2), address, 0, ordered(log2, acquire, false));
  t.ir.set(slot::kExclAddr, address);
  t.ir.set(slot::kExclLo, v);
  t.set_x(rt, v);
  return t.next();
}

/// Stores `desired` if the exclusive is open for `address` and memory holds `expected`; closes it, status to Ws.
bool store_exclusive(Translate& t, Reg s, Value address, Value expected, Value desired, MemAttr attr) {
  const Value open = t.ir.cmp(Opcode::CmpEq, t.ir.get(Type::I64, slot::kExclAddr), address);
  const Value done = t.ir.cas_if(open, address, expected, desired, attr);
  clear_exclusive(t);
  t.set_x(s, t.ir.zext(Type::I32, t.ir.not_(done)));
  return t.next();
}

template <u32 log2, bool release>
bool stxr(Translate& t, Reg s, Reg n, Reg rt) {
  const Value address = t.x_or_sp(Type::I64, n);
  return store_exclusive(t, s, address, t.ir.get(type_of(log2), slot::kExclLo), t.x(type_of(log2), rt),
                         ordered(log2, false, release));
}

/// The two registers of a pair as one value of twice the size: the first in the low half.
Value joined(Translate& t, u32 log2, Value lo, Value hi) {
  if (log2 == 3) return t.ir.vinsert(t.ir.vzext(lo), hi, Arr::D2, 1);
  return t.ir.or_(t.ir.zext(Type::I64, lo), t.ir.shl(t.ir.zext(Type::I64, hi), 32u));
}
struct Halves {
  Value lo, hi;
};
Halves split(Translate& t, u32 log2, Value pair) {
  if (log2 == 3) return {t.ir.vextract(Type::I64, pair, Arr::D2, 0), t.ir.vextract(Type::I64, pair, Arr::D2, 1)};
  return {t.ir.trunc(Type::I32, pair), t.ir.trunc(Type::I32, t.ir.shr(pair, 32u))};
}

template <u32 log2, bool acquire>
bool ldxp(Translate& t, Reg rt2, Reg n, Reg rt) {
  const Value address = t.x_or_sp(Type::I64, n);
  const Value pair = t.ir.load(log2 == 3 ? Type::V128 : Type::I64, address, 0, ordered(log2 + 1, acquire, false));
  const auto [lo, hi] = split(t, log2, pair);
  t.ir.set(slot::kExclAddr, address);
  t.ir.set(slot::kExclLo, lo);
  t.ir.set(slot::kExclHi, hi);
  t.set_x(rt, lo);
  t.set_x(rt2, hi);
  return t.next();
}

template <u32 log2, bool release>
bool stxp(Translate& t, Reg s, Reg rt2, Reg n, Reg rt) {
  const Type type = type_of(log2);
  const Value address = t.x_or_sp(Type::I64, n);
  const Value expected = joined(t, log2, t.ir.get(type, slot::kExclLo), t.ir.get(type, slot::kExclHi));
  const Value desired = joined(t, log2, t.x(type, rt), t.x(type, rt2));
  return store_exclusive(t, s, address, expected, desired, ordered(log2 + 1, false, release));
}

bool clrex(Translate& t, u32) {
  clear_exclusive(t);
  return t.next();
}

// -- ordered accesses ------------------------------------------------------------------------------------------------

// LDAR and LDLAR: the limited order of FEAT_LOR may be the full one.
template <u32 log2>
bool load_ordered(Translate& t, Reg n, Reg rt) {
  t.set_x(rt, t.ir.load(type_of(log2), t.x_or_sp(Type::I64, n), 0, ordered(log2, true, false)));
  return t.next();
}

template <u32 log2>
bool store_ordered(Translate& t, Reg n, Reg rt) {
  t.ir.store(t.x_or_sp(Type::I64, n), 0, t.x(type_of(log2), rt), ordered(log2, false, true));
  return t.next();
}

// -- FEAT_LSE --------------------------------------------------------------------------------------------------------

template <u32 log2, bool acquire, bool release>
bool cas(Translate& t, Reg s, Reg n, Reg rt) {
  const Type type = type_of(log2);
  t.set_x(s, t.ir.cas(t.x_or_sp(Type::I64, n), t.x(type, s), t.x(type, rt), ordered(log2, acquire, release)));
  return t.next();
}

bool even_pairs(bool, Reg s, Reg, Reg rt) {
  return s.n % 2 == 0 && rt.n % 2 == 0;
}

constexpr Reg after(Reg r) {
  return {static_cast<u8>(r.n + 1)};
}

template <bool acquire, bool release>
bool casp(Translate& t, bool sf, Reg s, Reg n, Reg rt) {
  const Type type = width(sf);
  const u32 log2 = sf ? 3 : 2;
  const Value expected = joined(t, log2, t.x(type, s), t.x(type, after(s)));
  const Value desired = joined(t, log2, t.x(type, rt), t.x(type, after(rt)));
  const Value old = t.ir.cas(t.x_or_sp(Type::I64, n), expected, desired, ordered(log2 + 1, acquire, release));
  const auto [lo, hi] = split(t, log2, old);
  t.set_x(s, lo);
  t.set_x(after(s), hi);
  return t.next();
}

template <ir::RmwOp op, u32 log2, bool acquire, bool release>
bool rmw(Translate& t, Reg s, Reg n, Reg rt) {
  const Value v = t.x(type_of(log2), s);
  t.set_x(rt, t.ir.rmw(op, t.x_or_sp(Type::I64, n), v, ordered(log2, acquire, release)));
  return t.next();
}

constexpr auto kRows = std::to_array<Row>({
    row<"1101010100 0 00 011 0011 CRm:4 010 11111", clrex>("clrex #{CRm}", "CLREX"),
    // Load/store exclusive register
    row<"00 001000 0 0 0 Rs:5 0 ..... Rn:5 Rt:5", stxr<0, false>>("stxrb {Rs:w}, {Rt:w}, [{Rn:xs}]", "STXRB"),
    row<"00 001000 0 0 0 Rs:5 1 ..... Rn:5 Rt:5", stxr<0, true>>("stlxrb {Rs:w}, {Rt:w}, [{Rn:xs}]", "STLXRB"),
    row<"00 001000 0 1 0 ..... 0 ..... Rn:5 Rt:5", ldxr<0, false>>("ldxrb {Rt:w}, [{Rn:xs}]", "LDXRB"),
    row<"00 001000 0 1 0 ..... 1 ..... Rn:5 Rt:5", ldxr<0, true>>("ldaxrb {Rt:w}, [{Rn:xs}]", "LDAXRB"),
    row<"01 001000 0 0 0 Rs:5 0 ..... Rn:5 Rt:5", stxr<1, false>>("stxrh {Rs:w}, {Rt:w}, [{Rn:xs}]", "STXRH"),
    row<"01 001000 0 0 0 Rs:5 1 ..... Rn:5 Rt:5", stxr<1, true>>("stlxrh {Rs:w}, {Rt:w}, [{Rn:xs}]", "STLXRH"),
    row<"01 001000 0 1 0 ..... 0 ..... Rn:5 Rt:5", ldxr<1, false>>("ldxrh {Rt:w}, [{Rn:xs}]", "LDXRH"),
    row<"01 001000 0 1 0 ..... 1 ..... Rn:5 Rt:5", ldxr<1, true>>("ldaxrh {Rt:w}, [{Rn:xs}]", "LDAXRH"),
    row<"10 001000 0 0 0 Rs:5 0 ..... Rn:5 Rt:5", stxr<2, false>>("stxr {Rs:w}, {Rt:w}, [{Rn:xs}]", "STXR"),
    row<"10 001000 0 0 0 Rs:5 1 ..... Rn:5 Rt:5", stxr<2, true>>("stlxr {Rs:w}, {Rt:w}, [{Rn:xs}]", "STLXR"),
    row<"10 001000 0 1 0 ..... 0 ..... Rn:5 Rt:5", ldxr<2, false>>("ldxr {Rt:w}, [{Rn:xs}]", "LDXR"),
    row<"10 001000 0 1 0 ..... 1 ..... Rn:5 Rt:5", ldxr<2, true>>("ldaxr {Rt:w}, [{Rn:xs}]", "LDAXR"),
    row<"11 001000 0 0 0 Rs:5 0 ..... Rn:5 Rt:5", stxr<3, false>>("stxr {Rs:w}, {Rt:x}, [{Rn:xs}]", "STXR"),
    row<"11 001000 0 0 0 Rs:5 1 ..... Rn:5 Rt:5", stxr<3, true>>("stlxr {Rs:w}, {Rt:x}, [{Rn:xs}]", "STLXR"),
    row<"11 001000 0 1 0 ..... 0 ..... Rn:5 Rt:5", ldxr<3, false>>("ldxr {Rt:x}, [{Rn:xs}]", "LDXR"),
    row<"11 001000 0 1 0 ..... 1 ..... Rn:5 Rt:5", ldxr<3, true>>("ldaxr {Rt:x}, [{Rn:xs}]", "LDAXR"),
    // Load/store exclusive pair
    row<"1 0 001000 0 0 1 Rs:5 0 Rt2:5 Rn:5 Rt:5", stxp<2, false>>("stxp {Rs:w}, {Rt:w}, {Rt2:w}, [{Rn:xs}]", "STXP"),
    row<"1 0 001000 0 0 1 Rs:5 1 Rt2:5 Rn:5 Rt:5", stxp<2, true>>("stlxp {Rs:w}, {Rt:w}, {Rt2:w}, [{Rn:xs}]", "STLXP"),
    row<"1 0 001000 0 1 1 ..... 0 Rt2:5 Rn:5 Rt:5", ldxp<2, false>>("ldxp {Rt:w}, {Rt2:w}, [{Rn:xs}]", "LDXP"),
    row<"1 0 001000 0 1 1 ..... 1 Rt2:5 Rn:5 Rt:5", ldxp<2, true>>("ldaxp {Rt:w}, {Rt2:w}, [{Rn:xs}]", "LDAXP"),
    row<"1 1 001000 0 0 1 Rs:5 0 Rt2:5 Rn:5 Rt:5", stxp<3, false>>("stxp {Rs:w}, {Rt:x}, {Rt2:x}, [{Rn:xs}]", "STXP"),
    row<"1 1 001000 0 0 1 Rs:5 1 Rt2:5 Rn:5 Rt:5", stxp<3, true>>("stlxp {Rs:w}, {Rt:x}, {Rt2:x}, [{Rn:xs}]", "STLXP"),
    row<"1 1 001000 0 1 1 ..... 0 Rt2:5 Rn:5 Rt:5", ldxp<3, false>>("ldxp {Rt:x}, {Rt2:x}, [{Rn:xs}]", "LDXP"),
    row<"1 1 001000 0 1 1 ..... 1 Rt2:5 Rn:5 Rt:5", ldxp<3, true>>("ldaxp {Rt:x}, {Rt2:x}, [{Rn:xs}]", "LDAXP"),
    // Load/store ordered
    row<"00 001000 1 0 0 ..... 1 ..... Rn:5 Rt:5", store_ordered<0>>("stlrb {Rt:w}, [{Rn:xs}]", "STLRB"),
    row<"00 001000 1 1 0 ..... 1 ..... Rn:5 Rt:5", load_ordered<0>>("ldarb {Rt:w}, [{Rn:xs}]", "LDARB"),
    row<"00 001000 1 0 0 ..... 0 ..... Rn:5 Rt:5", store_ordered<0>>("stllrb {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                     "STLLRB"),
    row<"00 001000 1 1 0 ..... 0 ..... Rn:5 Rt:5", load_ordered<0>>("ldlarb {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDLARB"),
    row<"01 001000 1 0 0 ..... 1 ..... Rn:5 Rt:5", store_ordered<1>>("stlrh {Rt:w}, [{Rn:xs}]", "STLRH"),
    row<"01 001000 1 1 0 ..... 1 ..... Rn:5 Rt:5", load_ordered<1>>("ldarh {Rt:w}, [{Rn:xs}]", "LDARH"),
    row<"01 001000 1 0 0 ..... 0 ..... Rn:5 Rt:5", store_ordered<1>>("stllrh {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                     "STLLRH"),
    row<"01 001000 1 1 0 ..... 0 ..... Rn:5 Rt:5", load_ordered<1>>("ldlarh {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDLARH"),
    row<"10 001000 1 0 0 ..... 1 ..... Rn:5 Rt:5", store_ordered<2>>("stlr {Rt:w}, [{Rn:xs}]", "STLR"),
    row<"10 001000 1 1 0 ..... 1 ..... Rn:5 Rt:5", load_ordered<2>>("ldar {Rt:w}, [{Rn:xs}]", "LDAR"),
    row<"10 001000 1 0 0 ..... 0 ..... Rn:5 Rt:5", store_ordered<2>>("stllr {Rt:w}, [{Rn:xs}]", Feature::LSE, "STLLR"),
    row<"10 001000 1 1 0 ..... 0 ..... Rn:5 Rt:5", load_ordered<2>>("ldlar {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDLAR"),
    row<"11 001000 1 0 0 ..... 1 ..... Rn:5 Rt:5", store_ordered<3>>("stlr {Rt:x}, [{Rn:xs}]", "STLR"),
    row<"11 001000 1 1 0 ..... 1 ..... Rn:5 Rt:5", load_ordered<3>>("ldar {Rt:x}, [{Rn:xs}]", "LDAR"),
    row<"11 001000 1 0 0 ..... 0 ..... Rn:5 Rt:5", store_ordered<3>>("stllr {Rt:x}, [{Rn:xs}]", Feature::LSE, "STLLR"),
    row<"11 001000 1 1 0 ..... 0 ..... Rn:5 Rt:5", load_ordered<3>>("ldlar {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDLAR"),
    // Compare and swap
    row<"00 001000 1 0 1 Rs:5 0 11111 Rn:5 Rt:5", cas<0, false, false>>("casb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                        "CASB"),
    row<"00 001000 1 1 1 Rs:5 0 11111 Rn:5 Rt:5", cas<0, true, false>>("casab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASAB"),
    row<"00 001000 1 0 1 Rs:5 1 11111 Rn:5 Rt:5", cas<0, false, true>>("caslb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASLB"),
    row<"00 001000 1 1 1 Rs:5 1 11111 Rn:5 Rt:5", cas<0, true, true>>("casalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                      "CASALB"),
    row<"01 001000 1 0 1 Rs:5 0 11111 Rn:5 Rt:5", cas<1, false, false>>("cash {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                        "CASH"),
    row<"01 001000 1 1 1 Rs:5 0 11111 Rn:5 Rt:5", cas<1, true, false>>("casah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASAH"),
    row<"01 001000 1 0 1 Rs:5 1 11111 Rn:5 Rt:5", cas<1, false, true>>("caslh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASLH"),
    row<"01 001000 1 1 1 Rs:5 1 11111 Rn:5 Rt:5", cas<1, true, true>>("casalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                      "CASALH"),
    row<"10 001000 1 0 1 Rs:5 0 11111 Rn:5 Rt:5", cas<2, false, false>>("cas {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                        "CAS"),
    row<"10 001000 1 1 1 Rs:5 0 11111 Rn:5 Rt:5", cas<2, true, false>>("casa {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASA"),
    row<"10 001000 1 0 1 Rs:5 1 11111 Rn:5 Rt:5", cas<2, false, true>>("casl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASL"),
    row<"10 001000 1 1 1 Rs:5 1 11111 Rn:5 Rt:5", cas<2, true, true>>("casal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE,
                                                                      "CASAL"),
    row<"11 001000 1 0 1 Rs:5 0 11111 Rn:5 Rt:5", cas<3, false, false>>("cas {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE,
                                                                        "CAS"),
    row<"11 001000 1 1 1 Rs:5 0 11111 Rn:5 Rt:5", cas<3, true, false>>("casa {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASA"),
    row<"11 001000 1 0 1 Rs:5 1 11111 Rn:5 Rt:5", cas<3, false, true>>("casl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE,
                                                                       "CASL"),
    row<"11 001000 1 1 1 Rs:5 1 11111 Rn:5 Rt:5", cas<3, true, true>>("casal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE,
                                                                      "CASAL"),
    // Compare and swap pair
    row<"0 sf 001000 0 0 1 Rs:5 0 11111 Rn:5 Rt:5", casp<false, false>, even_pairs>(
        "casp {@pair_rs}, {@pair_rt}, [{Rn:xs}]", Feature::LSE, "CASP"),
    row<"0 sf 001000 0 1 1 Rs:5 0 11111 Rn:5 Rt:5", casp<true, false>, even_pairs>(
        "caspa {@pair_rs}, {@pair_rt}, [{Rn:xs}]", Feature::LSE, "CASPA"),
    row<"0 sf 001000 0 0 1 Rs:5 1 11111 Rn:5 Rt:5", casp<false, true>, even_pairs>(
        "caspl {@pair_rs}, {@pair_rt}, [{Rn:xs}]", Feature::LSE, "CASPL"),
    row<"0 sf 001000 0 1 1 Rs:5 1 11111 Rn:5 Rt:5", casp<true, true>, even_pairs>(
        "caspal {@pair_rs}, {@pair_rt}, [{Rn:xs}]", Feature::LSE, "CASPAL"),
    // Atomic memory operations
    row<"00 111 0 00 0 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 0, false, false>>(
        "ldaddb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 0, true, false>>(
        "ldaddab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 0, false, true>>(
        "ldaddlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 0, true, true>>(
        "ldaddalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 1, false, false>>(
        "ldaddh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 1, true, false>>(
        "ldaddah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 1, false, true>>(
        "ldaddlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 1, true, true>>(
        "ldaddalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 2, false, false>>(
        "ldadd {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADD"),
    row<"10 111 0 00 1 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 2, true, false>>(
        "ldadda {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 2, false, true>>(
        "ldaddl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 2, true, true>>(
        "ldaddal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDADDAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 3, false, false>>(
        "ldadd {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDADD"),
    row<"11 111 0 00 1 0 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 3, true, false>>(
        "ldadda {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDADDA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 3, false, true>>(
        "ldaddl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDADDL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Add, 3, true, true>>(
        "ldaddal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDADDAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 0, false, false>>(
        "ldclrb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 0, true, false>>(
        "ldclrab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 0, false, true>>(
        "ldclrlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 0, true, true>>(
        "ldclralb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 1, false, false>>(
        "ldclrh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 1, true, false>>(
        "ldclrah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 1, false, true>>(
        "ldclrlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 1, true, true>>(
        "ldclralh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 2, false, false>>(
        "ldclr {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLR"),
    row<"10 111 0 00 1 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 2, true, false>>(
        "ldclra {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 2, false, true>>(
        "ldclrl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 2, true, true>>(
        "ldclral {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDCLRAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 3, false, false>>(
        "ldclr {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDCLR"),
    row<"11 111 0 00 1 0 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 3, true, false>>(
        "ldclra {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDCLRA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 3, false, true>>(
        "ldclrl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDCLRL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 001 00 Rn:5 Rt:5", rmw<ir::RmwOp::Clear, 3, true, true>>(
        "ldclral {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDCLRAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 0, false, false>>(
        "ldeorb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 0, true, false>>(
        "ldeorab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 0, false, true>>(
        "ldeorlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 0, true, true>>(
        "ldeoralb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 1, false, false>>(
        "ldeorh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 1, true, false>>(
        "ldeorah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 1, false, true>>(
        "ldeorlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 1, true, true>>(
        "ldeoralh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 2, false, false>>(
        "ldeor {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEOR"),
    row<"10 111 0 00 1 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 2, true, false>>(
        "ldeora {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 2, false, true>>(
        "ldeorl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 2, true, true>>(
        "ldeoral {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDEORAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 3, false, false>>(
        "ldeor {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDEOR"),
    row<"11 111 0 00 1 0 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 3, true, false>>(
        "ldeora {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDEORA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 3, false, true>>(
        "ldeorl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDEORL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 010 00 Rn:5 Rt:5", rmw<ir::RmwOp::Xor, 3, true, true>>(
        "ldeoral {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDEORAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 0, false, false>>(
        "ldsetb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 0, true, false>>(
        "ldsetab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 0, false, true>>(
        "ldsetlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 0, true, true>>(
        "ldsetalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 1, false, false>>(
        "ldseth {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 1, true, false>>(
        "ldsetah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 1, false, true>>(
        "ldsetlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 1, true, true>>(
        "ldsetalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 2, false, false>>(
        "ldset {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSET"),
    row<"10 111 0 00 1 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 2, true, false>>(
        "ldseta {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 2, false, true>>(
        "ldsetl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 2, true, true>>(
        "ldsetal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSETAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 3, false, false>>(
        "ldset {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSET"),
    row<"11 111 0 00 1 0 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 3, true, false>>(
        "ldseta {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSETA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 3, false, true>>(
        "ldsetl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSETL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 011 00 Rn:5 Rt:5", rmw<ir::RmwOp::Set, 3, true, true>>(
        "ldsetal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSETAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 0, false, false>>(
        "ldsmaxb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 0, true, false>>(
        "ldsmaxab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 0, false, true>>(
        "ldsmaxlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 0, true, true>>(
        "ldsmaxalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 1, false, false>>(
        "ldsmaxh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 1, true, false>>(
        "ldsmaxah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 1, false, true>>(
        "ldsmaxlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 1, true, true>>(
        "ldsmaxalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 2, false, false>>(
        "ldsmax {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAX"),
    row<"10 111 0 00 1 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 2, true, false>>(
        "ldsmaxa {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 2, false, true>>(
        "ldsmaxl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 2, true, true>>(
        "ldsmaxal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMAXAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 3, false, false>>(
        "ldsmax {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMAX"),
    row<"11 111 0 00 1 0 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 3, true, false>>(
        "ldsmaxa {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMAXA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 3, false, true>>(
        "ldsmaxl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMAXL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 100 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMax, 3, true, true>>(
        "ldsmaxal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMAXAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 0, false, false>>(
        "ldsminb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 0, true, false>>(
        "ldsminab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 0, false, true>>(
        "ldsminlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 0, true, true>>(
        "ldsminalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 1, false, false>>(
        "ldsminh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 1, true, false>>(
        "ldsminah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 1, false, true>>(
        "ldsminlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 1, true, true>>(
        "ldsminalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 2, false, false>>(
        "ldsmin {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMIN"),
    row<"10 111 0 00 1 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 2, true, false>>(
        "ldsmina {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 2, false, true>>(
        "ldsminl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 2, true, true>>(
        "ldsminal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDSMINAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 3, false, false>>(
        "ldsmin {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMIN"),
    row<"11 111 0 00 1 0 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 3, true, false>>(
        "ldsmina {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMINA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 3, false, true>>(
        "ldsminl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMINL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 101 00 Rn:5 Rt:5", rmw<ir::RmwOp::SMin, 3, true, true>>(
        "ldsminal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDSMINAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 0, false, false>>(
        "ldumaxb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 0, true, false>>(
        "ldumaxab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 0, false, true>>(
        "ldumaxlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 0, true, true>>(
        "ldumaxalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 1, false, false>>(
        "ldumaxh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 1, true, false>>(
        "ldumaxah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 1, false, true>>(
        "ldumaxlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 1, true, true>>(
        "ldumaxalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 2, false, false>>(
        "ldumax {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAX"),
    row<"10 111 0 00 1 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 2, true, false>>(
        "ldumaxa {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 2, false, true>>(
        "ldumaxl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 2, true, true>>(
        "ldumaxal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMAXAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 3, false, false>>(
        "ldumax {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMAX"),
    row<"11 111 0 00 1 0 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 3, true, false>>(
        "ldumaxa {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMAXA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 3, false, true>>(
        "ldumaxl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMAXL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 110 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMax, 3, true, true>>(
        "ldumaxal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMAXAL"),
    row<"00 111 0 00 0 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 0, false, false>>(
        "lduminb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINB"),
    row<"00 111 0 00 1 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 0, true, false>>(
        "lduminab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINAB"),
    row<"00 111 0 00 0 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 0, false, true>>(
        "lduminlb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINLB"),
    row<"00 111 0 00 1 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 0, true, true>>(
        "lduminalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINALB"),
    row<"01 111 0 00 0 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 1, false, false>>(
        "lduminh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINH"),
    row<"01 111 0 00 1 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 1, true, false>>(
        "lduminah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINAH"),
    row<"01 111 0 00 0 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 1, false, true>>(
        "lduminlh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINLH"),
    row<"01 111 0 00 1 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 1, true, true>>(
        "lduminalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINALH"),
    row<"10 111 0 00 0 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 2, false, false>>(
        "ldumin {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMIN"),
    row<"10 111 0 00 1 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 2, true, false>>(
        "ldumina {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINA"),
    row<"10 111 0 00 0 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 2, false, true>>(
        "lduminl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINL"),
    row<"10 111 0 00 1 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 2, true, true>>(
        "lduminal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "LDUMINAL"),
    row<"11 111 0 00 0 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 3, false, false>>(
        "ldumin {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMIN"),
    row<"11 111 0 00 1 0 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 3, true, false>>(
        "ldumina {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMINA"),
    row<"11 111 0 00 0 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 3, false, true>>(
        "lduminl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMINL"),
    row<"11 111 0 00 1 1 1 Rs:5 0 111 00 Rn:5 Rt:5", rmw<ir::RmwOp::UMin, 3, true, true>>(
        "lduminal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "LDUMINAL"),
    row<"00 111 0 00 0 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 0, false, false>>(
        "swpb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPB"),
    row<"00 111 0 00 1 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 0, true, false>>(
        "swpab {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPAB"),
    row<"00 111 0 00 0 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 0, false, true>>(
        "swplb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPLB"),
    row<"00 111 0 00 1 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 0, true, true>>(
        "swpalb {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPALB"),
    row<"01 111 0 00 0 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 1, false, false>>(
        "swph {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPH"),
    row<"01 111 0 00 1 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 1, true, false>>(
        "swpah {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPAH"),
    row<"01 111 0 00 0 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 1, false, true>>(
        "swplh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPLH"),
    row<"01 111 0 00 1 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 1, true, true>>(
        "swpalh {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPALH"),
    row<"10 111 0 00 0 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 2, false, false>>(
        "swp {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWP"),
    row<"10 111 0 00 1 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 2, true, false>>(
        "swpa {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPA"),
    row<"10 111 0 00 0 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 2, false, true>>(
        "swpl {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPL"),
    row<"10 111 0 00 1 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 2, true, true>>(
        "swpal {Rs:w}, {Rt:w}, [{Rn:xs}]", Feature::LSE, "SWPAL"),
    row<"11 111 0 00 0 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 3, false, false>>(
        "swp {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "SWP"),
    row<"11 111 0 00 1 0 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 3, true, false>>(
        "swpa {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "SWPA"),
    row<"11 111 0 00 0 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 3, false, true>>(
        "swpl {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "SWPL"),
    row<"11 111 0 00 1 1 1 Rs:5 1 000 00 Rn:5 Rt:5", rmw<ir::RmwOp::Swap, 3, true, true>>(
        "swpal {Rs:x}, {Rt:x}, [{Rn:xs}]", Feature::LSE, "SWPAL"),
});

}  // namespace

std::span<const Row> atomics_rows() {
  return kRows;
}

}  // namespace tiercel::arm
