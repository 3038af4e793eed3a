#include "tests/machine/random/random_code.h"

#include <iterator>

namespace tiercel::test {
namespace {

// x0 to x15 hold anything, x19 to x26 and SP addresses in the window. x16 and x17 are for a few insns, x18 is the
// window, x27 to x29 count.
constexpr u32 kBases = 19, kBaseCount = 8, kWindowRegister = 18, kFirstCounter = 27, kSp = 31;

enum Fields : u32 { kD = 1, kN = 2, kM = 4, kA = 8, kVectorD = 16, kVectorN = 32, kVectorM = 64, kVectorA = 128 };

/// An insn whose bits in `random` are random, and registers.
struct Template {
  u32 word, random, fields;
};
constexpr u32 kDNM = kD | kN | kM, kVectorDNM = kVectorD | kVectorN | kVectorM;
constexpr Template kComputations[] = {
    {0x0b00'0000, 0xe040'7c00, kDNM},                   // ADD, SUB, with flags or without, shifted
    {0x0b00'0000, 0xe040'7c00, kDNM},                   //
    {0x0b20'0000, 0xe000'e800, kDNM},                   // ... extended
    {0x0a00'0000, 0xe0e0'7c00, kDNM},                   // AND, BIC, ORR, ORN, EOR, EON, ANDS, BICS
    {0x1100'0000, 0xe03f'fc00, kD | kN},                // ADD, SUB (immediate)
    {0x1a00'0000, 0xe000'0000, kDNM},                   // ADC, SBC
    {0x1a80'0000, 0xc000'f400, kDNM},                   // CSEL, CSINC, CSINV, CSNEG
    {0x3a40'0000, 0xc000'f00f, kN | kM},                // CCMN, CCMP
    {0x3a40'0800, 0xc01f'f00f, kN},                     // ... (immediate)
    {0x1b00'0000, 0x8000'8000, kDNM | kA},              // MADD, MSUB
    {0x9b20'0000, 0x0080'8000, kDNM | kA},              // SMADDL, UMADDL, ...
    {0x9340'0000, 0x003f'fc00, kD | kN},                // SBFM
    {0xd340'0000, 0x003f'fc00, kD | kN},                // UBFM
    {0xb340'0000, 0x003f'fc00, kD | kN},                // BFM
    {0x1ac0'2000, 0x8000'0c00, kDNM},                   // LSLV, LSRV, ASRV, RORV
    {0x1ac0'0800, 0x8000'0400, kDNM},                   // UDIV, SDIV
    {0xdac0'0000, 0x0000'0c00, kD | kN},                // RBIT, REV16, REV32, REV
    {0xdac0'1000, 0x0000'0400, kD | kN},                // CLZ, CLS
    {0xd280'0000, 0x007f'ffe0, kD},                     // MOVZ
    {0xf280'0000, 0x007f'ffe0, kD},                     // MOVK
    {0x1e60'0800, 0x0000'3000, kVectorDNM},             // FMUL, FDIV, FADD, FSUB
    {0x1e20'0800, 0x0000'3000, kVectorDNM},             // ... single
    {0x1f40'0000, 0x0020'8000, kVectorDNM | kVectorA},  // FMADD, ...
    {0x1e60'2000, 0x0000'0010, kVectorN | kVectorM},    // FCMP, FCMPE
    {0x1e60'0c00, 0x0000'f000, kVectorDNM},             // FCSEL
    {0x9e62'0000, 0x0001'0000, kVectorD | kN},          // SCVTF, UCVTF
    {0x9e78'0000, 0x0001'0000, kD | kVectorN},          // FCVTZS, FCVTZU
    {0x9e66'0000, 0, kD | kVectorN},                    // FMOV
    {0x9e67'0000, 0, kVectorD | kN},                    //
    {0x4e20'8400, 0x20c0'0000, kVectorDNM},             // ADD, SUB (vector)
    {0x2e20'1c00, 0x40c0'0000, kVectorDNM},             // EOR, BSL, BIT, BIF
    {0x4ea0'6400, 0x2000'0800, kVectorDNM},             // SMAX, UMAX, SMIN, UMIN
    {0x4e60'd400, 0, kVectorDNM},                       // FADD (vector)
    {0x4e08'0c00, 0, kVectorD | kN},                    // DUP
    {0x4e18'3c00, 0, kD | kVectorN},                    // UMOV
    {0x4e00'3800, 0x00c0'4000, kVectorDNM},             // ZIP1, ZIP2
    {0xd53b'4200, 0, kD},                               // MRS NZCV
    {0xd53b'd040, 0, kD},                               // MRS TPIDR_EL0
    {0xd51b'd040, 0, kD},                               // MSR TPIDR_EL0
    {0xd503'3bbf, 0, 0},                                // DMB ISH
    {0xd503'3fdf, 0, 0},                                // ISB
};

/// Bits 31, 30, 26, 23 and 22 of a load or store of one register.
constexpr u32 kSingle[] = {
    0x0000'0000, 0x4000'0000, 0x8000'0000, 0xc000'0000, 0x0040'0000, 0x4040'0000, 0x8040'0000, 0xc040'0000, 0xc040'0000,
    0xc000'0000, 0x0080'0000, 0x4080'0000, 0x8080'0000, 0x00c0'0000, 0x40c0'0000, 0x0400'0000, 0x4400'0000, 0x8400'0000,
    0xc400'0000, 0x0440'0000, 0x4440'0000, 0x8440'0000, 0xc440'0000, 0x0480'0000, 0x04c0'0000,
};
/// Bits 31, 30, 26 and 22 of one of two registers.
constexpr u32 kPairs[] = {0x0000'0000, 0x0040'0000, 0x8000'0000, 0x8040'0000, 0x8000'0000, 0x8040'0000, 0x4040'0000,
                          0x0400'0000, 0x0440'0000, 0x4400'0000, 0x4440'0000, 0x8400'0000, 0x8440'0000};

constexpr u32 add_immediate(u32 d, u32 n, u32 value, bool subtract = false) {
  return (subtract ? 0xd100'0000 : 0x9100'0000) | value << 10 | n << 5 | d;
}
/// d = n & the lowest `bits` bits
constexpr u32 and_low(u32 d, u32 n, u32 bits) {
  return 0x9240'0000 | (bits - 1) << 10 | n << 5 | d;
}
constexpr u32 add(u32 d, u32 n, u32 m) {
  return 0x8b00'0000 | m << 16 | n << 5 | d;
}
constexpr u32 movz(u32 d, u32 value, u32 part = 0) {
  return 0xd280'0000 | part << 21 | value << 5 | d;
}
constexpr u32 kRet = 0xd65f'03c0;

}  // namespace

std::vector<u32> RandomCode::patched_page() {
  constexpr u32 kAddX3 = 0x9100'0463;
  return {kAddX3, kAddX3, kAddX3, kAddX3, kAddX3, add_immediate(4, 4, 7), kRet};
}

std::vector<u32> RandomCode::make() {
  words_.assign(1, 0);
  leaves_.clear();
  for (u32 i = 3 + pick(3); i > 0; --i) leaf();
  leaves_.push_back(kCode + kPatchedPage * kPageSize);
  words_[0] = 0x1400'0000 | static_cast<u32>(words_.size());
  emit(movz(kWindowRegister, static_cast<u32>(kWindow & 0xffff)));
  emit(movz(kWindowRegister, static_cast<u32>(kWindow >> 16), 1) | 0x2000'0000);
  for (u32 i = 2 + pick(4); i > 0; --i) {
    if (pick(3) == 0) words_.resize(words_.size() + pick(700), 0xd503'201f);  // the next one elsewhere
    loop(pick(3) == 0 ? 1 : 0);
  }
  emit(0xd400'0001 | 7 << 5);
  return std::move(words_);
}

void RandomCode::leaf() {
  leaves_.push_back(here());
  for (u32 i = 1 + pick(8); i > 0; --i) pick(3) ? compute() : access();
  if (pick(2)) {
    skip_some(2);
    if (pick(2)) emit(kRet);
    compute();
  }
  emit(kRet);
  if (pick(3) == 0) words_.resize(words_.size() + pick(1200), 0xd503'201f);
}

void RandomCode::loop(u32 depth) {
  const u32 counter = kFirstCounter + depth;
  emit(movz(counter, depth > 0 ? 4 + pick(12) : 30 + pick(150)));
  const std::size_t head = words_.size();
  for (u32 i = 2 + pick(5); i > 0; --i) {  // back into the window
    const u32 b = kBases + pick(kBaseCount);
    emit(and_low(17, b, 16));
    emit(add(b, kWindowRegister, 17));
  }
  body(3 + pick(12));
  if (depth > 0) loop(depth - 1);
  if (pick(2)) body(1 + pick(6));
  emit(add_immediate(counter, counter, 1, true));
  const s64 back = static_cast<s64>(head) - static_cast<s64>(words_.size());
  emit(0xb500'0000 | (static_cast<u32>(back) & 0x7'ffff) << 5 | counter);
}

void RandomCode::body(u32 insns) {
  for (; insns > 0; --insns) {
    const u32 kind = pick(16);
    if (kind < 2)
      skip_some(1 + pick(4));
    else if (kind == 2)
      call();
    else if (kind == 3 && pick(2))
      call_handler();
    else if (kind == 4)
      frame();
    else
      insn();
  }
}

void RandomCode::insn() {
  const u32 kind = pick(8);
  if (kind < 3) return compute();
  if (kind == 3) return move_base();
  access();
}

/// A branch over the next few.
void RandomCode::skip_some(u32 insns) {
  const std::size_t at = words_.size();
  emit(0);
  for (; insns > 0; --insns) insn();
  const u32 distance = static_cast<u32>(words_.size() - at);
  switch (pick(3)) {
    case 0:
      words_[at] = 0x5400'0000 | distance << 5 | pick(14);
      break;
    case 1:
      words_[at] = 0x3400'0000 | pick(2) << 31 | pick(2) << 24 | distance << 5 | general();
      break;
    default:
      words_[at] = 0x3600'0000 | pick(2) << 24 | pick(32) << 19 | distance << 5 | general();
  }
}

void RandomCode::call() {
  const auto leaf = [this] { return leaves_[pick(static_cast<u32>(leaves_.size()))] - here(); };
  const auto adr = [&](u32 d) {
    const u64 distance = leaf();
    emit(0x1000'0000 | static_cast<u32>(distance & 3) << 29 | (static_cast<u32>(distance >> 2) & 0x7'ffff) << 5 | d);
  };
  if (pick(2)) return emit(0x9400'0000 | (static_cast<u32>(leaf() >> 2) & 0x3ff'ffff));
  adr(16);
  adr(17);
  emit(0x9a80'0000 | 17 << 16 | pick(14) << 12 | 16 << 5 | 16);  // CSEL
  emit(0xd63f'0200);                                             // BLR x16
}

/// Now and then: the handler changes something.
void RandomCode::call_handler() {
  emit(and_low(17, kFirstCounter, 3 + pick(3)));
  emit(0xb500'0051);  // CBNZ x17, over the next
  emit(0xd400'0001 | pick(7) << 5);
}

void RandomCode::compute() {
  const Template& t = kComputations[pick(std::size(kComputations))];
  u32 word = t.word | (static_cast<u32>(random()) & t.random);
  const auto put = [&](u32 is_general, u32 is_vector, u32 lsb) {
    if (t.fields & is_general) word |= general() << lsb;
    if (t.fields & is_vector) word |= pick(32) << lsb;
  };
  put(kD, kVectorD, 0);
  put(kN, kVectorN, 5);
  put(kA, kVectorA, 10);
  put(kM, kVectorM, 16);
  emit(word);
}

void RandomCode::move_base() {
  const u32 b = kBases + pick(kBaseCount);
  switch (pick(6)) {
    case 0:
    case 1:
      return emit(add_immediate(b, b, pick(2) ? pick(64) * 8 : pick(0x1000), pick(2)));
    case 2:
      return emit(add_immediate(b, base(), pick(256)));
    case 3:  // SP
      emit(and_low(17, general(), 16));
      emit(0x927c'ec00 | 17 << 5 | 17);                                  // AND x17, x17, #~15
      return emit(0x8b20'6000 | 17 << 16 | kWindowRegister << 5 | kSp);  // ADD (extended register)
    default:                                                             // by what was computed or loaded
      emit(and_low(17, general(), 16));
      if (pick(2)) emit(0x927d'f000 | 17 << 5 | 17);  // AND x17, x17, #~7
      return emit(add(b, kWindowRegister, 17));
  }
}

/// Several accesses from one base, near the end of a page or not.
void RandomCode::frame() {
  const u32 b = kBases + pick(kBaseCount), n = b << 5;
  if (pick(2)) emit(0xb27a'1400 | n | b);  // ORR b, b, #0xfc0
  if (pick(3)) emit(0x927d'f000 | n | b);  // AND b, b, #~7
  for (u32 i = 2 + pick(8); i > 0; --i) {
    const u32 one = kSingle[pick(std::size(kSingle))] | n | general();
    switch (pick(8)) {
      case 0:
        access_pair(b);
        break;
      case 1:
        emit(0x3800'0400 | one | pick(512) << 12 | (pick(2) ? 0 : 0x800));
        break;
      case 2:
        emit(0x3800'0000 | one | pick(512) << 12);
        break;
      case 3:
        compute();
        break;
      default:
        emit(0x3900'0000 | one | pick(16) << 10);
    }
  }
}

u32 RandomCode::base() {
  return pick(10) == 0 ? kSp : kBases + pick(kBaseCount);
}

void RandomCode::access() {
  const u32 b = base(), n = b << 5;
  const u32 one = kSingle[pick(std::size(kSingle))] | n | general();
  const u32 kind = pick(16);
  if (kind < 5) return emit(0x3900'0000 | one | (pick(8) ? pick(48) : pick(0x1000)) << 10);
  if (kind < 8) return emit(0x3800'0000 | one | pick(512) << 12 | (pick(2) ? 0 : pick(2) ? 0x400 : 0xc00));
  if (kind < 10) return access_by_register(b);
  if (kind < 13) return access_pair(b);
  if (kind == 13) return access_atomic(b);
  if (kind == 14) return access_structure(b);
  if (pick(4) == 0) return emit(0xd50b'7420 | (b == kSp ? kBases : b));                           // DC ZVA
  if (pick(3)) return emit(0x3800'0800 | (one & 0xc3ff'ffff & ~0x0080'0000u) | pick(512) << 12);  // LDTR, STTR
  emit(0xf980'0000 | n | pick(64) << 10 | pick(6));                                               // PRFM
}

void RandomCode::access_by_register(u32 b) {
  constexpr u32 kOptions[] = {2, 3, 6, 7};
  emit(and_low(16, general(), 4 + pick(9)));
  emit(0x3820'0800 | kSingle[pick(std::size(kSingle))] | 16 << 16 | kOptions[pick(4)] << 13 | pick(2) << 12 | b << 5 |
       general());
}

void RandomCode::access_pair(u32 b) {
  const u32 kind = kPairs[pick(std::size(kPairs))], mode = 1 + pick(3), first = general();
  const u32 second = (first + 1 + pick(15)) % 16;
  emit(0x2800'0000 | kind | mode << 23 | pick(128) << 15 | second << 10 | b << 5 | first);
}

void RandomCode::access_atomic(u32 b) {
  const u32 n = b << 5, size = pick(4) << 30, a = general(), other = (a + 1 + pick(15)) % 16;
  switch (pick(6)) {
    case 0:
      return emit(0x08df'fc00 | size | n | a);  // LDAR
    case 1:
      return emit(0x089f'fc00 | size | n | a);  // STLR
    case 2:
      return emit(0x08a0'7c00 | size | pick(2) << 22 | pick(2) << 15 | other << 16 | n | a);  // CAS
    case 3:
      emit(0x085f'7c00 | size | pick(2) << 15 | n | a);  // LDXR, LDAXR
      compute();
      return emit(0x0800'7c00 | size | pick(2) << 15 | other << 16 | n | a);  // STXR, STLXR
    case 4:
      return emit(0x3820'8000 | size | pick(4) << 22 | other << 16 | n | a);  // SWP
    default:
      return emit(0x3820'0000 | size | pick(4) << 22 | pick(8) << 12 | other << 16 | n | a);  // LDADD, ...
  }
}

/// LD1 and ST1.
void RandomCode::access_structure(u32 b) {
  constexpr u32 kRegisters[] = {0x7000, 0xa000, 0x2000};
  const u32 after = pick(2) ? 0x009f'0000 : 0;
  emit(0x0c00'0000 | kRegisters[pick(3)] | pick(2) << 30 | pick(2) << 22 | pick(4) << 10 | after | b << 5 | pick(28));
}

}  // namespace tiercel::test
