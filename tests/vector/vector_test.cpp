// Every floating-point and vector opcode, in every arrangement, compiled by the x64 backend at several host feature
// levels and compared with ir::eval on special and random operands: result, sticky exception bits, and that no other
// register changed.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <xmmintrin.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "backend/backend.h"
#include "ir/builder.h"
#include "ir/eval.h"
#include "tests/support/fp_trap.h"

namespace tiercel::backend {
namespace {

using ir::Arr;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr unsigned kVectors = 36, kIntegers = 12;  // more than host registers, so that some are not pinned
constexpr u16 slot_x(unsigned n) {
  return static_cast<u16>(n);
}
constexpr u16 slot_v(unsigned n) {
  return static_cast<u16>(kIntegers + n);
}
struct State {
  U128 v[kVectors];
  u64 x[kIntegers];
  u64 pc;
  u64 pad;
};

std::vector<ir::SlotInfo> make_slots() {
  std::vector<ir::SlotInfo> s;
  for (unsigned i = 0; i < kIntegers; ++i)
    s.push_back({Type::I64, static_cast<u32>(offsetof(State, x) + 8 * i), "x", static_cast<u8>(1 + i)});
  for (unsigned i = 0; i < kVectors; ++i)
    s.push_back({Type::V128, static_cast<u32>(offsetof(State, v) + 16 * i), "v", static_cast<u8>(100 - i)});
  return s;
}

struct Level {
  const char* name;
  HostFeatures features;
  bool available = true;
};

std::vector<Level> levels() {
  const HostFeatures host = HostFeatures::detect();
  std::vector<Level> out;
  if (host.avx512vl) out.push_back({"avx512", host});
  HostFeatures h = host;
  h.avx512vl = h.avx512vbmi = h.avx512bitalg = h.gfni = h.vpclmul = false;
  if (host.avx2) out.push_back({"avx2", h});
  HostFeatures least;
  out.push_back({"sse4.2", least});
  least.aes = host.aes;
  least.pclmul = host.pclmul;
  least.sha = host.sha;
  out.push_back({"sse4.2-crypto", least});
  return out;
}

/// One instruction to test: everything but its operands.
struct Case {
  ir::Inst inst;
  std::vector<Type> args;
  U128 pool;
  std::string name;
};

enum class Shape { Plain, KnownZero, LastUse };

class Machine {
 public:
  explicit Machine(const Level& level) : slots_(make_slots()) {
    layout_.slots = slots_;
    layout_.state_size = sizeof(State);
    layout_.pc_offset = offsetof(State, pc);
    backend_ = make_x64_backend(layout_, level.features);
    runtime_ = backend_->make_runtime();
    memory_ =
        static_cast<u8*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memcpy(memory_, runtime_.code.data(), runtime_.code.size());
    code_at_ = (runtime_.code.size() + 63) / 64 * 64;
    block_ = static_cast<VmContext*>(std::aligned_alloc(64, (kStateOffset + sizeof(State) + 63) / 64 * 64));
    new (block_) VmContext;
    block_->eval = ir::eval_out_of_line;
    env_.extra = &block_->fp_extra;
    block_->fp_env = &env_;
    block_->common_exit = memory_ + runtime_.common_exit;
    block_->indirect_miss = memory_ + runtime_.indirect;
    for (u32 i = 0; i < kStubCount; ++i) block_->stubs[i] = memory_ + runtime_.stubs[i];
    block_->jump_cache = table_.data();
  }
  ~Machine() {
    munmap(memory_, kSize);
    std::free(block_);
  }

  void compile(const ir::Function& f) {
    backend_->compile(f, true, code_);
    ASSERT_LT(code_at_ + code_.code.size(), kSize);
    std::memcpy(memory_ + code_at_, code_.code.data(), code_.code.size());
  }
  const std::string& listing() const { return code_.listing; }
  State& state() { return *static_cast<State*>(guest_state(block_)); }
  VmContext& context() { return *block_; }
  void run(ir::FpRules rules = {}) {
    using Enter = void (*)(VmContext*, const void*);
    const test::FpTrap trap(*backend_, *block_, rules);
    reinterpret_cast<Enter>(memory_ + runtime_.enter)(block_, memory_ + code_at_);
  }
  std::span<const ir::SlotInfo> slots() const { return slots_; }

 private:
  static constexpr std::size_t kSize = 1 << 20;
  std::vector<ir::SlotInfo> slots_;
  VmLayout layout_;
  std::unique_ptr<Backend> backend_;
  Runtime runtime_;
  u8* memory_;
  std::size_t code_at_;
  VmContext* block_;
  ir::FpEnv env_;
  JumpCache table_;
  CompiledCode code_;
};

// -- the cases -------------------------------------------------------------------------------------------------------

const Arr kAllArrangements[] = {Arr::B8, Arr::B16, Arr::H4, Arr::H8, Arr::S2, Arr::S4, Arr::D1, Arr::D2};

std::vector<Arr> arrangements(Opcode o) {
  switch (o) {
    case Opcode::VMul:
      return {Arr::B8, Arr::B16, Arr::H4, Arr::H8, Arr::S2, Arr::S4};
    case Opcode::VMullS:
    case Opcode::VMullU:
    case Opcode::VExtS:
    case Opcode::VExtU:
      return {Arr::H8, Arr::S4, Arr::D2};
    case Opcode::VNarrow:
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return {Arr::B8, Arr::H4, Arr::S2};
    case Opcode::VQDMull:
      return {Arr::S4, Arr::D2};
    case Opcode::VQDMulH:
    case Opcode::VQRDMulH:
    case Opcode::VQRDMlAH:
    case Opcode::VQRDMlSH:
      return {Arr::H4, Arr::H8, Arr::S2, Arr::S4};
    case Opcode::VPMul:
    case Opcode::VCnt:
    case Opcode::VRbit:
      return {Arr::B8, Arr::B16};
    case Opcode::VPMull:
      return {Arr::H8, Arr::D2};
    case Opcode::VURecpE:
    case Opcode::VURsqrtE:
      return {Arr::S2, Arr::S4};
    case Opcode::VFCvtUp:
      return {Arr::S4, Arr::D2};
    case Opcode::VFCvtDown:
      return {Arr::H4, Arr::S2};
    case Opcode::VHAddS:
    case Opcode::VHAddU:
    case Opcode::VHSubS:
    case Opcode::VHSubU:
    case Opcode::VRHAddS:
    case Opcode::VRHAddU:
    case Opcode::VAbdS:
    case Opcode::VAbdU:
    case Opcode::VMaxS:
    case Opcode::VMaxU:
    case Opcode::VMinS:
    case Opcode::VMinU:
    case Opcode::VClz:
    case Opcode::VCls:
      return {Arr::B8, Arr::B16, Arr::H4, Arr::H8, Arr::S2, Arr::S4};
    case Opcode::VInsert:
    case Opcode::VExtract:
      return {Arr::B16, Arr::H8, Arr::S4, Arr::D2};
    default:
      break;
  }
  if (ir::info(o).result == 'F') return {Arr::S2, Arr::S4, Arr::D2};
  return {std::begin(kAllArrangements), std::end(kAllArrangements)};
}

class CaseList {
 public:
  std::vector<Case> all;

  CaseList() {
    for (unsigned n = 0; n < ir::kOpcodeCount; ++n) {
      const auto o = static_cast<Opcode>(n);
      const ir::OpInfo& info = ir::info(o);
      if (info.effects & ~ir::effect::kReadsFp || info.operands.empty() ||
          info.operands.find('?') != info.operands.npos)
        continue;
      if (info.result == 'v' || info.result == 'F' || o == Opcode::Bitcast || o == Opcode::VExtract ||
          o == Opcode::FToHalf || o == Opcode::FToInt || o == Opcode::Select)
        add_opcode(o, info);
    }
  }

 private:
  void add(Opcode o, Type t, std::vector<Type> args, Arr arr = Arr::None, u32 aux = 0, u64 imm = 0, U128 pool = {}) {
    Case c;
    c.inst.op = o;
    c.inst.type = t;
    c.inst.arr = arr;
    c.inst.aux = aux;
    c.inst.imm = imm;
    c.args = std::move(args);
    c.pool = pool;
    c.name = std::string(ir::info(o).text) + " type" + std::to_string(int(t)) + " arr" + std::to_string(int(arr)) +
             " aux" + std::to_string(aux) + " imm" + std::to_string(imm);
    if (o == Opcode::Bitcast || o == Opcode::VZext || o == Opcode::VDup || o == Opcode::VInsert)
      c.name += " from" + std::to_string(int(c.args.back()));
    all.push_back(std::move(c));
  }
  std::vector<Type> same(const ir::OpInfo& info, Type t) { return std::vector<Type>(info.operands.size(), t); }

  void add_opcode(Opcode o, const ir::OpInfo& info) {
    const Type V = Type::V128;
    switch (o) {
      case Opcode::Bitcast:
        add(o, Type::F32, {Type::I32});
        add(o, Type::I32, {Type::F32});
        add(o, Type::F64, {Type::I64});
        add(o, Type::I64, {Type::F64});
        return;
      case Opcode::VZext:
        for (const Type t : {Type::I32, Type::I64, Type::F32, Type::F64}) add(o, V, {t});
        return;
      case Opcode::VExtract:
        for (const Arr arr : arrangements(o))
          for (unsigned lane = 0; lane < ir::lane_count(arr); ++lane) {
            add(o, arr == Arr::D2 ? Type::I64 : Type::I32, {V}, arr, 0, lane);
            if (arr == Arr::S4) add(o, Type::F32, {V}, arr, 0, lane);
            if (arr == Arr::D2) add(o, Type::F64, {V}, arr, 0, lane);
          }
        return;
      case Opcode::VInsert:
        for (const Arr arr : arrangements(o))
          for (unsigned lane = 0; lane < ir::lane_count(arr); ++lane) {
            add(o, V, {V, arr == Arr::D2 ? Type::I64 : Type::I32}, arr, 0, lane);
            if (arr == Arr::S4) add(o, V, {V, Type::F32}, arr, 0, lane);
            if (arr == Arr::D2) add(o, V, {V, Type::F64}, arr, 0, lane);
          }
        return;
      case Opcode::VDup:
        for (const Arr arr : kAllArrangements) {
          add(o, V, {V}, arr);
          const bool wide = ir::lane_bits(arr) == 64;
          add(o, V, {wide ? Type::I64 : Type::I32}, arr);
          if (ir::lane_bits(arr) >= 32) add(o, V, {wide ? Type::F64 : Type::F32}, arr);
        }
        return;
      case Opcode::VShuffle:
        return add_shuffles();
      case Opcode::Select:
        for (const Type t : {Type::F32, Type::F64, V}) add(o, t, {Type::I1, t, t});
        return;
      case Opcode::VConst:
        return;
      case Opcode::FRint:
        for (u32 mode = 0; mode <= 5; ++mode)
          for (u32 exact = 0; exact <= 8; exact += 8) {
            add(o, Type::F32, {Type::F32}, Arr::None, mode | exact);
            add(o, Type::F64, {Type::F64}, Arr::None, mode | exact);
            for (const Arr arr : arrangements(o)) add(o, V, {V}, arr, mode | exact);
          }
        return;
      case Opcode::FCvt:
        for (const u32 mode : {5u, 6u}) {
          if (mode == 5) add(o, Type::F64, {Type::F32}, Arr::None, mode);
          add(o, Type::F32, {Type::F64}, Arr::None, mode);
        }
        return;
      case Opcode::FFromHalf:
        add(o, Type::F32, {Type::I32});
        add(o, Type::F64, {Type::I32});
        return;
      case Opcode::FToHalf:
        add(o, Type::I32, {Type::F32}, Arr::None, 5);
        add(o, Type::I32, {Type::F64}, Arr::None, 5);
        return;
      case Opcode::FToInt:
      case Opcode::IntToF:
        return add_conversions(o);
      case Opcode::VFCvtDown:
        for (const Arr arr : arrangements(o)) add(o, V, {V}, arr, 5);
        add(o, V, {V}, Arr::S2, 6);
        return;
      default:
        break;
    }
    if (info.result == 'F') {
      add(o, Type::F32, same(info, Type::F32));
      add(o, Type::F64, same(info, Type::F64));
    }
    if (info.attr == ir::Attr::None) return add(o, V, same(info, V));
    for (const Arr arr : arrangements(o)) {
      const unsigned width = ir::lane_bits(arr);
      if (info.attr == ir::Attr::ArrImm) {
        const bool left = o == Opcode::VShlI;
        for (unsigned imm = left ? 0 : 1; imm <= (left ? width - 1 : width); ++imm)
          add(o, V, same(info, V), arr, 0, imm);
      } else {
        add(o, V, same(info, V), arr);
        if (info.attr == ir::Attr::Sat) add(o, V, same(info, V), arr, 1);
      }
    }
  }

  void add_conversions(Opcode o) {
    const Type V = Type::V128;
    for (u32 is_unsigned = 0; is_unsigned <= 8; is_unsigned += 8)
      for (u32 mode = 0; mode <= 5; ++mode)
        for (const u32 fraction : {0u, 1u, 16u, 31u, 32u, 64u}) {
          const bool to_int = o == Opcode::FToInt;
          if (!to_int && mode != 5) continue;
          if (to_int && fraction != 0 && mode != 3) continue;
          const u32 aux = mode | is_unsigned | fraction << 8;
          for (const Type f : {Type::F32, Type::F64})
            for (const Type i : {Type::I32, Type::I64}) {
              if (fraction > ir::type_bits(i)) continue;
              to_int ? add(o, i, {f}, Arr::None, aux) : add(o, f, {i}, Arr::None, aux);
            }
          for (const Arr arr : {Arr::S2, Arr::S4, Arr::D2})
            if (fraction <= ir::lane_bits(arr)) add(o, V, {V}, arr, aux);
        }
  }

  void add_shuffle(const u8 (&m)[16]) {
    U128 pool;
    std::memcpy(&pool, m, 16);
    add(Opcode::VShuffle, Type::V128, {Type::V128, Type::V128}, Arr::None, 0, 0, pool);
    char text[33] = {};
    for (int i = 0; i < 16; ++i) std::snprintf(text + 2 * i, 3, "%02x", m[i]);
    all.back().name += std::string(" mask ") + text;
  }
  void add_shuffles() {
    std::mt19937 rng(7);
    u8 m[16];
    for (const unsigned bytes : {1u, 2u, 4u, 8u}) {
      const unsigned n = 16 / bytes;
      const auto lanes = [&](auto from) {
        for (unsigned i = 0; i < 16; ++i) {
          const unsigned lane = from(i / bytes);
          m[i] = lane >= 2 * n ? 0x80 : static_cast<u8>(lane * bytes + i % bytes);
        }
        add_shuffle(m);
      };
      for (unsigned k = 0; k < 2; ++k) {
        lanes([&](unsigned i) { return i / 2 + (i % 2) * n + k * n / 2; });      // zip
        lanes([&](unsigned i) { return i / 2 + (1 - i % 2) * n + k * n / 2; });  // zip, swapped
        lanes([&](unsigned i) { return 2 * i + k; });                            // uzp
        lanes([&](unsigned i) { return (i / 2 * 2 + k) + (i % 2) * n; });        // trn
        lanes([&](unsigned i) { return i < n / 2 ? 2 * i + k : 2 * n; });        // uzp of 64 bits
        lanes([&](unsigned i) { return i < n / 2 ? i + k * n / 2 : 2 * n; });    // a half
        lanes([&](unsigned i) { return (i ^ (n - 1)) + k * n; });                // reversed
        lanes([&](unsigned i) { return i % 2 == k ? i : i + n; });               // blends
      }
      for (unsigned shift = 0; shift <= n; ++shift) {
        lanes([&](unsigned i) { return i + shift; });                          // ext
        lanes([&](unsigned i) { return (i + shift) % n; });                    // rotation
        lanes([&](unsigned i) { return i + shift < n ? i + shift : 2 * n; });  // shifts with zeros
        lanes([&](unsigned i) { return i >= shift ? i - shift : 2 * n; });
        lanes([&](unsigned) { return shift % n; });  // broadcasts
        lanes([&](unsigned) { return n + shift % n; });
        lanes([&](unsigned i) { return i == shift ? n + i : i; });  // one foreign lane
        lanes([&](unsigned i) { return i == shift ? i : n + i; });
        lanes([&](unsigned i) { return i == shift ? n : i; });
      }
      for (int k = 0; k < 40; ++k) {
        u8 pick[16];
        for (u8& p : pick) p = static_cast<u8>(rng() % (k < 20 ? 2 * n : k < 30 ? n : 2 * n + 2));
        lanes([&](unsigned i) { return unsigned{pick[i]}; });
      }
    }
  }
};

// -- operands --------------------------------------------------------------------------------------------------------

class Operands {
 public:
  explicit Operands(u32 seed) : rng_(seed) {}

  U128 next(Type t, unsigned width, bool floating) {
    if (t == Type::I1) return {rng_() & 1, 0};
    U128 v;
    if (t == Type::F32 || t == Type::F64) {
      width = ir::type_bits(t);
      floating = true;
    }
    if (ir::is_int(t) && width > ir::type_bits(t)) width = ir::type_bits(t);
    for (unsigned at = 0; at < 128; at += width) {
      const u64 lane = floating && width >= 16 ? float_lane(width) : int_lane(width);
      (at < 64 ? v.lo : v.hi) |= (width == 64 ? lane : lane & ((u64{1} << width) - 1)) << (at & 63);
    }
    if (rng_() % 4 == 0) v.hi = v.lo;
    return v;
  }

 private:
  u64 int_lane(unsigned width) {
    const u64 sign = u64{1} << (width - 1);
    switch (rng_() % 8) {
      case 0:
        return rng_() % 3 - 1;
      case 1:
        return sign;
      case 2:
        return sign - 1;
      case 3:
        return rng_() % 140 - 70;
      case 4:
        return u64{1} << rng_() % width;
      case 5:
        return sign + rng_() % 5 - 2;
      default:
        return rng_() << 32 ^ rng_();
    }
  }
  u64 float_lane(unsigned width) {
    const unsigned exponent_bits = width == 16 ? 5 : width == 64 ? 11 : 8;
    const unsigned fraction_bits = width - 1 - exponent_bits;
    const u64 bias = (u64{1} << (exponent_bits - 1)) - 1, max = 2 * bias + 1;
    const u64 sign = rng_() & 1, fraction_mask = (u64{1} << fraction_bits) - 1;
    u64 exponent = 0, fraction = 0;
    switch (rng_() % 16) {
      case 0:
        break;  // zero
      case 1:
        fraction = rng_() & 1 ? 1 : (rng_() << 32 ^ rng_());  // subnormal
        break;
      case 2:
        exponent = max;  // infinity
        break;
      case 3:
        exponent = max;  // quiet NaN
        fraction = u64{1} << (fraction_bits - 1) | rng_() % 16;
        break;
      case 4:
        exponent = max;  // signalling NaN
        fraction = 1 + rng_() % 16;
        break;
      case 5:
        exponent = bias;  // one
        break;
      case 6:
        exponent = max - 1;
        fraction = ~u64{0};
        break;
      case 7: {  // halves and near them
        exponent = bias + rng_() % 8 - 2;
        fraction = (rng_() % 8) << (fraction_bits - 3);
        if (rng_() % 4 == 0) fraction += rng_() & 1 ? 1 : ~u64{0};
        break;
      }
      case 8: {  // near the integers' ranges
        const unsigned power[] = {31, 32, 63, 64, 30, 15, 16, 24, 52, 53};
        exponent = std::min(bias + power[rng_() % 10], max - 1);
        if (rng_() & 1) {
          --exponent;
          fraction = ~u64{0} << rng_() % fraction_bits;
        } else if (rng_() & 1) {
          fraction = u64{1} << rng_() % fraction_bits;
        }
        break;
      }
      case 9:
        exponent = rng_() % 4;
        fraction = rng_() << 32 ^ rng_();
        break;
      case 10:
      case 11:
        exponent = bias + rng_() % 70 - 3;
        fraction = rng_() << 32 ^ rng_();
        exponent = std::min(exponent, max);
        break;
      case 12:
      case 13:
        exponent = bias + rng_() % 6 - 3;
        fraction = rng_() << 32 ^ rng_();
        break;
      default:
        exponent = rng_() % (max + 1);
        fraction = rng_() << 32 ^ rng_();
        break;
    }
    return sign << (width - 1) | (exponent & max) << fraction_bits | (fraction & fraction_mask);
  }
  std::mt19937_64 rng_;
};

unsigned lane_width(const Case& c) {
  const Arr arr = c.inst.arr;
  switch (c.inst.op) {
    case Opcode::VFCvtUp:
    case Opcode::VMullS:
    case Opcode::VMullU:
    case Opcode::VQDMull:
    case Opcode::VExtS:
    case Opcode::VExtU:
      return ir::lane_bits(arr) / 2;
    case Opcode::VFCvtDown:
    case Opcode::VNarrow:
    case Opcode::VQNarrowS:
    case Opcode::VQNarrowU:
    case Opcode::VQNarrowSU:
      return ir::lane_bits(arr) * 2;
    case Opcode::FFromHalf:
      return 16;
    default:
      return arr == Arr::None ? 8 : ir::lane_bits(arr);
  }
}

bool takes_floats(const Case& c) {
  const ir::OpInfo& info = ir::info(c.inst.op);
  return (info.effects & ir::effect::kReadsFp && c.inst.op != Opcode::IntToF) || c.inst.op == Opcode::FNeg ||
         c.inst.op == Opcode::FAbs;
}

// -- the comparison --------------------------------------------------------------------------------------------------

std::string hex(U128 v) {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx_%016llx", static_cast<unsigned long long>(v.hi),
                static_cast<unsigned long long>(v.lo));
  return text;
}

/// Gets the operands, does the instruction, sets v0 or x0. Vector and float operand k comes from slot v[kFrom[k]], so
/// that pinned, highly numbered and unpinned ones all occur; integer operand k from x[1 + k].
ir::Function build(const Case& c, Shape shape, const unsigned (&from)[3], std::span<const ir::SlotInfo> slots,
                   ir::FpRules rules) {
  ir::Builder b(slots);
  ir::Function f;
  b.begin(f, 0x1000, rules);
  b.insn(0x1000);
  ir::Inst inst = c.inst;
  for (std::size_t k = 0; k < c.args.size(); ++k) {
    const Type t = c.args[k];
    Value v;
    if (t == Type::I1)
      v = b.test_bit(b.get(Type::I64, slot_x(1 + static_cast<unsigned>(k))), 0);
    else if (ir::is_int(t))
      v = b.get(t, slot_x(1 + static_cast<unsigned>(k)));
    else
      v = b.get(t, slot_v(from[k]));
    if (shape == Shape::KnownZero && t == Type::V128)
      v = b.vzext(b.vextract(Type::I64, v, Arr::D2, 0));
    else if (shape == Shape::KnownZero && ir::is_float(t))
      v = b.bitcast(t, b.bitcast(t == Type::F32 ? Type::I32 : Type::I64, v));
    else if (shape == Shape::LastUse && t == Type::V128)  // a copy of its own that dies with the instruction
      v = b.vec(Opcode::VXor, Arr::D2, {v, b.vconst({0x5a5a5a5a5a5a5a5a, 0x1234567812345678})});
    inst.args[k] = v;
  }
  if (inst.op == Opcode::VShuffle) inst.aux = f.add_constant(c.pool);
  f.insts.push_back(inst);
  const Value result{static_cast<u32>(f.insts.size() - 1)};
  if (ir::is_int(inst.type))
    b.set(slot_x(0), result);
  else
    b.set(slot_v(0), result);
  b.exit(ir::ExitKind::Yield, 0x1004);
  return f;
}

/// What the operand becomes under `shape` before the instruction sees it.
U128 shaped(U128 v, Type t, Shape shape) {
  const unsigned width = ir::type_bits(t);
  if (width < 64) v.lo &= (u64{1} << width) - 1;
  if (width <= 64) v.hi = 0;
  if (t == Type::V128 && shape == Shape::KnownZero) v.hi = 0;
  if (t == Type::V128 && shape == Shape::LastUse) {
    v.lo ^= 0x5a5a5a5a5a5a5a5a;
    v.hi ^= 0x1234567812345678;
  }
  return v;
}

class VectorTest : public testing::TestWithParam<Level> {
 protected:
  void check(Machine& m, const Case& c, Shape shape, ir::FpRules rules, unsigned rounds, u32 seed) {
    const unsigned homes[][3] = {{1, 2, 3}, {9, 20, 2}, {22, 3, 35}, {35, 34, 33}, {5, 5, 5}, {0, 1, 2}, {2, 0, 0}};
    const unsigned(&from)[3] = homes[seed % 7];
    const ir::Function f = build(c, shape, from, m.slots(), rules);
    m.compile(f);
    ir::PureOp op = ir::pure_op(f, f.insts[f.insts.size() - 3]);
    Operands operands(seed);
    const bool floating = takes_floats(c);
    State& s = m.state();
    for (unsigned round = 0; round < rounds; ++round) {
      for (U128& v : s.v) v = operands.next(Type::V128, lane_width(c), floating);
      for (u64& x : s.x) x = operands.next(Type::I64, std::min(lane_width(c), 64u), false).lo;
      U128 args[4];
      for (std::size_t k = 0; k < c.args.size(); ++k) {
        const Type t = c.args[k];
        const unsigned x = 1 + static_cast<unsigned>(k);
        if (ir::is_int(t)) {
          if (rng_() % 2) s.x[x] = operands.next(Type::I64, ir::type_bits(t) < 8 ? 8 : ir::type_bits(t), false).lo;
          args[k] = t == Type::I1 ? U128{s.x[x] & 1, 0} : shaped({s.x[x], 0}, t, shape);
        } else {
          if (ir::is_float(t)) s.v[from[k]] = operands.next(t, 0, true);
        }
      }
      for (std::size_t k = 0; k < c.args.size(); ++k)
        if (!ir::is_int(c.args[k])) args[k] = shaped(s.v[from[k]], c.args[k], shape);
      const State before = s;
      const u32 seen = rules.flush ? rng_() & (mxcsr::kUnderflow | mxcsr::kInexact) : 0;
      const u32 begin = test::start_mxcsr(rules, 0x1f80 | (round & 3) << 13 | seen);
      u32 extra = rules.flush && rng_() % 2 ? ir::fpstatus::kInputDenormal : 0;
      m.context().mxcsr = begin;
      m.context().fp_extra = extra;
      m.run(rules);
      const u32 status = m.context().mxcsr & 0x3d;
      ir::FpEnv env;
      env.extra = &extra;
      _mm_setcsr(begin);
      const U128 want = ir::eval(op, args, env);
      const u32 want_status = _mm_getcsr() & 0x3d;
      _mm_setcsr(0x1f80);
      State after = before;
      if (ir::is_int(c.inst.type))
        after.x[0] = want.lo;
      else
        after.v[0] = want;
      after.pc = s.pc;
      if (std::memcmp(&after, &s, sizeof s) == 0 && status == want_status && extra == m.context().fp_extra) continue;
      ADD_FAILURE() << c.name << " shape " << int(shape) << " fp " << int(rules.pack()) << " rounding " << (round & 3)
                    << " homes " << seed % 7 << "\n  a " << hex(args[0]) << "\n  b " << hex(args[1]) << "\n  c "
                    << hex(args[2]) << "\n  want " << hex(want) << " status " << std::hex << want_status << "\n  got  "
                    << (ir::is_int(c.inst.type) ? hex({s.x[0], 0}) : hex(s.v[0])) << " status " << status << "\n"
                    << m.listing();
      return;
    }
  }
  std::mt19937 rng_{1};
};

u64 rounds_from_environment(u64 usual) {
  const char* text = std::getenv("TIERCEL_TEST_ROUNDS");
  return text ? std::strtoull(text, nullptr, 0) : usual;
}

TEST_P(VectorTest, EveryOpcodeAgreesWithEval) {
  Machine m(GetParam());
  const CaseList cases;
  const char* only = std::getenv("TIERCEL_TEST_ONLY");
  const auto rounds = static_cast<unsigned>(rounds_from_environment(12));
  u32 seed = 1;
  int failures = 0;
  for (const Case& c : cases.all) {
    if (only && c.name.find(only) == std::string::npos) continue;
    const bool fp = ir::info(c.inst.op).effects & ir::effect::kReadsFp;
    for (const Shape shape : {Shape::Plain, Shape::KnownZero, Shape::LastUse})
      check(m, c, shape, {}, fp ? 4 * rounds : rounds, ++seed);
    if (fp)
      for (const ir::FpRules rules :
           {ir::FpRules{.default_nan = true}, ir::FpRules{.flush = true}, ir::FpRules{.alt_half = true},
            ir::FpRules{.default_nan = true, .flush = true}, ir::FpRules{.flush = true, .host_flush = true},
            ir::FpRules{.default_nan = true, .flush = true, .host_flush = true}})
        check(m, c, Shape::Plain, rules, rounds, ++seed);
    if (HasFailure() && ++failures > 20) break;
  }
}

/// Negations that disappear into a fused multiply-add, NaNs included.
TEST_P(VectorTest, FusedNegationsAgreeWithEval) {
  Machine m(GetParam());
  Operands operands(3);
  const std::pair<Type, Arr> kinds[] = {{Type::F32, Arr::None},
                                        {Type::F64, Arr::None},
                                        {Type::V128, Arr::S4},
                                        {Type::V128, Arr::D2},
                                        {Type::V128, Arr::S2}};
  for (const auto& [type, arr] : kinds)
    for (unsigned negate = 1; negate < 8; ++negate)
      for (const ir::FpRules rules :
           {ir::FpRules{}, ir::FpRules{.flush = true}, ir::FpRules{.flush = true, .host_flush = true}}) {
        ir::Builder b(m.slots());
        ir::Function f;
        b.begin(f, 0x1000, rules);
        Value args[3];
        for (unsigned k = 0; k < 3; ++k) {
          args[k] = b.get(type, slot_v(1 + 7 * k));
          if (negate >> k & 1) args[k] = b.fp(Opcode::FNeg, type, arr, {args[k]});
        }
        const Value sum = b.fp(Opcode::FMulAdd, type, arr, {args[0], args[1], args[2]});
        b.set(slot_v(0), sum);
        b.exit(ir::ExitKind::Yield, 0x1004);
        m.compile(f);
        ir::Inst negation{.op = Opcode::FNeg, .type = type, .arr = arr};
        negation.args[0] = Value{0};
        const ir::PureOp fneg = ir::pure_op(f, negation), fma = ir::pure_op(f, f[sum]);
        for (unsigned round = 0; round < 400; ++round) {
          const unsigned width = type == Type::V128 ? ir::lane_bits(arr) : ir::type_bits(type);
          U128 want_args[3];
          const u32 seen = round & 4 ? mxcsr::kInexact : 0;
          const u32 begin = test::start_mxcsr(rules, 0x1f80 | (round & 3) << 13 | seen);
          u32 extra = 0;
          ir::FpEnv env{.extra = &extra};
          for (unsigned k = 0; k < 3; ++k) {
            U128 v = operands.next(Type::V128, width, true);
            m.state().v[1 + 7 * k] = v;
            v = shaped(v, type, Shape::Plain);
            want_args[k] = negate >> k & 1 ? ir::eval(fneg, &v, env) : v;
          }
          m.context().mxcsr = begin;
          m.context().fp_extra = 0;
          m.run(rules);
          _mm_setcsr(begin);
          const U128 want = ir::eval(fma, want_args, env);
          const u32 want_status = _mm_getcsr() & 0x3d;
          _mm_setcsr(0x1f80);
          ASSERT_EQ(hex(m.state().v[0]), hex(want)) << negate << " type " << int(type) << " arr " << int(arr) << "\n"
                                                    << hex(want_args[0]) << "\n"
                                                    << hex(want_args[1]) << "\n"
                                                    << hex(want_args[2]) << "\n"
                                                    << m.listing();
          ASSERT_EQ(m.context().mxcsr & 0x3d, want_status) << m.listing();
          ASSERT_EQ(m.context().fp_extra, extra);
        }
      }
}

/// A round of AES whose substitution and column mixing are one host instruction.
TEST_P(VectorTest, FusedAesRoundsAgreeWithEval) {
  Machine m(GetParam());
  Operands operands(4);
  for (const auto& [substitute, mix] :
       {std::pair{Opcode::AesEnc, Opcode::AesMix}, std::pair{Opcode::AesDec, Opcode::AesInvMix},
        std::pair{Opcode::AesEnc, Opcode::AesInvMix}}) {
    ir::Builder b(m.slots());
    ir::Function f;
    b.begin(f, 0x1000, {});
    const Value x = b.op(substitute, Type::V128, {b.get(Type::V128, slot_v(9))});
    const Value y = b.op(mix, Type::V128, {x});
    b.set(slot_v(30), y);
    b.exit(ir::ExitKind::Yield, 0x1004);
    m.compile(f);
    const ir::PureOp first = ir::pure_op(f, f[x]), second = ir::pure_op(f, f[y]);
    for (unsigned round = 0; round < 50; ++round) {
      const U128 in = operands.next(Type::V128, 64, false);
      m.state().v[9] = in;
      m.run();
      ir::FpEnv env;
      const U128 middle = ir::eval(first, &in, env);
      ASSERT_EQ(hex(m.state().v[30]), hex(ir::eval(second, &middle, env))) << m.listing();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, VectorTest, testing::ValuesIn(levels()),
                         [](const testing::TestParamInfo<Level>& info) {
                           std::string name = info.param.name;
                           for (char& ch : name)
                             if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
                           return name;
                         });

}  // namespace
}  // namespace tiercel::backend
