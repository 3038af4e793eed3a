#include "tests/diff/generator.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/bits.h"
#include "tests/diff/encodings.h"
#include "tests/diff/known_issues.h"

namespace tiercel::test {
namespace {

using arm::FieldSpec;
using arm::Row;
using arm::RowKind;

/// Rows that cannot be compared: what leaves the sequence, depends on the time or differs between CPU models.
bool comparable(const Row& row) {
  static const std::set<std::string_view> kLeft = {"SVC",
                                                   "HVC",
                                                   "SMC",
                                                   "BRK",
                                                   "HLT",
                                                   "DCPS1",
                                                   "DCPS2",
                                                   "DCPS3",
                                                   "UDF",
                                                   "ERET",
                                                   "DRPS",
                                                   "YIELD",
                                                   "WFE",
                                                   "WFI",
                                                   "MRS",
                                                   "MSR (register)",
                                                   "MSR (immediate)",
                                                   "SYS",
                                                   "SYSL",
                                                   "CTR_EL0",
                                                   "DCZID_EL0",
                                                   "CNTFRQ_EL0",
                                                   "CNTVCT_EL0",
                                                   "TPIDRRO_EL0",
                                                   "IC IVAU",
                                                   "HINT"};
  return row.kind == RowKind::Implemented && !kLeft.contains(row.manual);
}

const FieldSpec* field(const Row& row, std::string_view name) {
  for (const FieldSpec& f : row.pattern->span())
    if (f.name == name) return &f;
  return nullptr;
}

// Registers x19..x28 hold addresses that the generator needs; other instructions mostly do not write them.
constexpr unsigned kPoolFirst = 19, kPoolCount = 10;

}  // namespace

Generator::Generator(u64 seed, const std::string& only) : engine_(seed) {
  const std::regex pattern(only, std::regex::icase);
  for (const Row& row : arm::a64_table().rows()) {
    if (!comparable(row)) continue;
    const std::string text = std::string(row.text) + " " + std::string(row.manual);
    if (only.empty() || std::regex_search(text, pattern)) rows_.push_back({&row, has_known_issue(row)});
  }
}

u32 Generator::encoding(const Row& row) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    u32 word = (static_cast<u32>(random()) & ~row.mask) | row.value;
    for (const char* name : {"Rd", "Rt", "Rt2", "Rs"}) {
      const FieldSpec* f = field(row, name);
      if (f && f->of(word) >= kPoolFirst && f->of(word) < kPoolFirst + kPoolCount && chance(97))
        put(word, f->lsb, f->width, below(kPoolFirst));
    }
    if (arm::a64_table().find(word) == &row) return word;
  }
  return kNop;
}

unsigned Generator::fresh_register(Sequence& s) {
  const unsigned n = kPoolFirst + next_pool_++ % kPoolCount;
  std::erase_if(s.pinned, [&](const auto& p) { return p.first == n; });
  return n;
}

void Generator::place_memory(Sequence& s, u32& word) {
  const u32 before = word;
  Access a = access_of(word);
  if (a.kind == Access::Kind::None) return;
  if (a.kind == Access::Kind::Literal) {  // inside this slot
    const u64 at = s.pc + 4 * s.words.size();
    put(word, 5, 19, static_cast<u64>(static_cast<s64>(s.pc + 4 * below(kSlotBytes / 4 - 4) - at) / 4));
    return;
  }
  u64 target = kDataBase + below(kDataBytes - a.bytes + 1);
  if (chance(3)) target = kDataBase + kDataBytes - below(a.bytes + 1);  // over the edge: a fault
  if (must_be_aligned(word) ? chance(95) : chance(50)) target = align_down(target, a.bytes);
  s.reference_is_wrong |= is_ordered(word) && target % a.bytes != 0;
  if (chance(3)) target |= random() << 56;  // a tag
  unsigned n = fresh_register(s);
  if (chance(8) && std::none_of(s.pinned.begin(), s.pinned.end(), [](const auto& p) { return p.first == 31; })) n = 31;
  put(word, 5, 5, n);
  keep_predictable(word);
  u64 base = target - static_cast<u64>(a.offset);
  if (a.kind == Access::Kind::Register) {
    const unsigned m = fresh_register(s);
    put(word, 16, 5, m);
    const u64 index = interesting_integer() >> below(64);
    const u32 option = word >> 13 & 7;
    const u64 extended = option == 2   ? index & 0xffff'ffff
                         : option == 6 ? static_cast<u64>(sign_extend(index, 32))
                                       : index;
    base = target - (extended << a.index_shift);
    s.pinned.emplace_back(m, index);
  }
  s.pinned.emplace_back(n, base);
  if (arm::a64_table().find(word) != arm::a64_table().find(before)) word = kNop;
}

/// Leaves no encoding whose result is CONSTRAINED UNPREDICTABLE: registers that overlap.
void Generator::keep_predictable(u32& word) {
  const bool exclusive = (word & 0x3f80'0000) == 0x0800'0000, pair = (word & 0x3a00'0000) == 0x2800'0000;
  const u32 n = word >> 5 & 31;
  for (const unsigned lsb : {0u, 10u, 16u}) {
    if ((lsb == 10 && !pair && !exclusive) || (lsb == 16 && !exclusive)) continue;
    if ((word >> lsb & 31) == n && n != 31) put(word, lsb, 5, below(kPoolFirst));
  }
  if (pair || exclusive)
    while ((word >> 10 & 31) == (word & 31)) put(word, 10, 5, below(kPoolFirst));
  if (exclusive)
    while ((word >> 16 & 31) == (word & 31) || (word >> 16 & 31) == (word >> 10 & 31) || (word >> 16 & 31) == n)
      put(word, 16, 5, below(kPoolFirst));
}

void Generator::place_branch(Sequence& s, const Row& row, u32& word, unsigned position, unsigned count) {
  const s64 forward = 1 + static_cast<s64>(below(count - position));
  if (const FieldSpec* f = field(row, "imm"); f && (f->width == 26 || f->width == 19 || f->width == 14)) {
    put(word, f->lsb, f->width, static_cast<u64>(forward));
    return;
  }
  const unsigned n = fresh_register(s);
  put(word, 5, 5, n);
  s.pinned.emplace_back(n, s.pc + 4 * (s.words.size() + static_cast<u64>(forward)));
}

void Generator::place_system(Sequence& s, const Row& row, u32& word) {
  const bool fpcr = row.text.starts_with("msr fpcr"), fpsr = row.text.starts_with("msr fpsr");
  const bool zva = row.manual == "DC ZVA";
  if (!fpcr && !fpsr && !zva) return;
  const unsigned n = fresh_register(s);
  put(word, 0, 5, n);
  s.pinned.emplace_back(n, fpcr ? interesting_fpcr() : fpsr ? random() & kFpsrBits : kDataBase + below(kDataBytes));
}

void Generator::append(Sequence& s, const Row& row, unsigned position, unsigned count) {
  u32 word = encoding(row);
  const bool branch = (word & 0x1c00'0000) == 0x1400'0000;
  if (is_load_store(word) || (word & 0x3b00'0000) == 0x1800'0000)
    place_memory(s, word);
  else if (branch && (word & 0xff00'0000) != 0xd500'0000)
    place_branch(s, row, word, position, count);
  else if (branch)
    place_system(s, row, word);
  s.words.push_back(word);
}

Sequence Generator::sequence(u64 pc, unsigned max_insns) {
  Sequence s;
  s.pc = pc;
  const unsigned count = 1 + static_cast<unsigned>(below(max_insns));
  for (unsigned i = 0; i < count; ++i) {
    const Candidate& chosen = rows_[below(rows_.size())];
    s.reference_is_wrong |= chosen.reference_is_wrong;
    append(s, *chosen.row, i, count);
    const u32 last = s.words.back();
    if (is_store_exclusive(last) && i + 1 < count && chance(80)) {
      // The matching load first, so that the store can succeed.
      s.words.back() = matching_load(last);
      s.words.push_back(last);
      ++i;
    }
  }
  if (std::any_of(s.words.begin(), s.words.end(), is_store_exclusive) && s.words.size() < 10)
    s.words.push_back(kClrex);  // leave no open exclusive to the next run
  if (chance(30)) s.fpcr = interesting_fpcr();
  return s;
}

u32 Generator::interesting_fpcr() {
  u32 fpcr = static_cast<u32>(below(4)) << 22;
  if (chance(25)) fpcr |= 1u << 25;  // DN
  if (chance(25)) fpcr |= 1u << 24;  // FZ
  if (chance(15)) fpcr |= 1u << 26;  // AHP
  return fpcr;
}

u64 Generator::interesting_integer() {
  switch (below(8)) {
    case 0:
      return below(2) - 1 + below(3);
    case 1:
      return u64{1} << below(64);
    case 2:
      return low_mask(static_cast<unsigned>(below(65)));
    case 3:
      return ~low_mask(static_cast<unsigned>(below(64)));
    case 4:
      return below(256);
    case 5:
      return 0x7fff'ffff + below(3);
    default:
      return random();
  }
}

U128 Generator::interesting_vector() {
  static constexpr u64 kDoubles[] = {0,
                                     0x8000000000000000,
                                     0x3ff0000000000000,
                                     0xbff0000000000000,
                                     0x7ff0000000000000,
                                     0xfff0000000000000,
                                     0x7ff8000000000000,
                                     0x7ff0000000000001,
                                     0xfff8000000001234,
                                     0x0000000000000001,
                                     0x800fffffffffffff,
                                     0x0010000000000000,
                                     0x7fefffffffffffff,
                                     0x4330000000000001,
                                     0x41dfffffffc00000,
                                     0x43e0000000000000,
                                     0x3fe0000000000000,
                                     0x36a0000000000000,
                                     0x47f0000000000000};
  static constexpr u32 kFloats[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                    0x7f800001, 0xffc01234, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0x4b000001,
                                    0x4f000000, 0x5f000000, 0x3f000000, 0x33800000, 0x477fe000, 0x38800000, 0x00400000};
  static constexpr u16 kHalves[] = {0,      0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00,
                                    0x7c01, 0x0001, 0x83ff, 0x0400, 0x7bff, 0x3800};
  U128 r;
  u64* half[] = {&r.lo, &r.hi};
  const u64 kind = below(8);
  for (u64* h : half) {
    switch (kind) {
      case 0:
      case 1:
        *h = chance(75) ? kDoubles[below(std::size(kDoubles))] : random();
        break;
      case 2:
      case 3: {
        const auto one = [&]() -> u64 {
          return chance(75) ? kFloats[below(std::size(kFloats))] : static_cast<u32>(random());
        };
        *h = one() | one() << 32;
        break;
      }
      case 4: {
        *h = 0;
        for (int i = 0; i < 4; ++i)
          *h = *h << 16 | (chance(75) ? kHalves[below(std::size(kHalves))] : static_cast<u16>(random()));
        break;
      }
      case 5: {  // numbers of ordinary size
        const double d = (static_cast<double>(static_cast<s64>(random())) / 9.2e18) * (chance(50) ? 1e6 : 1.0);
        if (chance(50)) {
          std::memcpy(h, &d, 8);
        } else {
          const float f[2] = {static_cast<float>(d), static_cast<float>(-d * 3)};
          std::memcpy(h, f, 8);
        }
        break;
      }
      case 6:
        *h = interesting_integer();
        break;
      default:
        *h = random();
    }
  }
  return r;
}

CpuState Generator::state(const Sequence& s) {
  CpuState c;
  for (u64& x : c.x) x = interesting_integer();
  c.sp = random() & ~u64{15};
  for (U128& v : c.v) v = interesting_vector();
  c.nzcv = static_cast<u32>(below(16)) << 28;
  c.fpcr = s.fpcr;
  c.fpsr = chance(80) ? 0 : static_cast<u32>(random()) & kFpsrBits;
  c.tpidr = random();
  for (const auto& [n, value] : s.pinned) (n == 31 ? c.sp : c.x[n]) = value;
  c.pc = s.pc;
  return c;
}

void Generator::fill(Data& data, bool all) {
  for (u64 i = all ? 0 : 16 * below(16); i < kDataBytes; i += all ? 16 : 16 * (1 + below(32))) {
    const U128 v = interesting_vector();
    std::memcpy(&data[i], &v, 16);
  }
}

}  // namespace tiercel::test
