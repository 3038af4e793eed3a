// Encodings: Intel SDM vol. 2, "Instruction Format", "Intel AVX Prefix" and "Intel AVX-512 Encoding".
#include "backend/x64/fp_insn.h"

#include <cstring>

namespace tiercel::backend::x64 {
namespace {

class Decoder {
 public:
  explicit Decoder(const HostFrame& frame)
      : frame_(frame), start_(reinterpret_cast<const u8*>(frame.pc())), at_(start_) {}

  std::optional<FpInsn> run() {
    if (!prefixes()) return std::nullopt;
    const u8 opcode = next();
    if (!name(opcode)) return std::nullopt;
    modrm_ = next();
    const unsigned reg = (modrm_ >> 3 & 7) | high_reg_;
    const U128 rm = modrm_ >> 6 == 3 ? frame_.vector((modrm_ & 7) | high_rm_) : memory();
    if (evex_ && broadcast_ && modrm_ >> 6 == 3) return std::nullopt;  // a rounding of its own
    insn_.length = static_cast<u8>(at_ - start_);
    insn_.destination = static_cast<u8>(reg);
    const U128 old = frame_.vector(reg), other = legacy_ ? old : frame_.vector(other_);
    insn_.kept = insn_.kind == FpInsn::Kind::MulAdd ? old : other;
    place_operands(opcode, old, other, rm);
    return insn_;
  }

 private:
  static constexpr u8 kMap0f = 1, kMap0f38 = 2;
  static constexpr u8 kNone = 0, k66 = 1, kF3 = 2, kF2 = 3;  // VEX.pp

  u8 next() { return *at_++; }

  bool prefixes() {
    switch (*at_) {
      case 0xc5:
        return vex2();
      case 0xc4:
        return vex3();
      case 0x62:
        return evex();
      default:
        return legacy();
    }
  }

  bool legacy() {
    legacy_ = true;
    const u8 first = *at_;
    pp_ = first == 0x66 ? k66 : first == 0xf3 ? kF3 : first == 0xf2 ? kF2 : kNone;
    if (pp_ != kNone) ++at_;
    if ((*at_ & 0xf0) == 0x40) {
      const u8 rex = next();
      high_reg_ = (rex & 4) << 1, high_index_ = (rex & 2) << 2, high_rm_ = high_base_ = (rex & 1) << 3;
    }
    map_ = kMap0f;
    return next() == 0x0f;
  }

  bool vex2() {
    ++at_;
    const u8 b = next();
    high_reg_ = b & 0x80 ? 0 : 8;
    map_ = kMap0f;
    return vex_tail(b);
  }

  bool vex3() {
    ++at_;
    const u8 a = next(), b = next();
    high_reg_ = a & 0x80 ? 0 : 8;
    high_index_ = a & 0x40 ? 0 : 8;
    high_rm_ = high_base_ = a & 0x20 ? 0 : 8;
    map_ = a & 0x1f;
    w_ = (b & 0x80) != 0;
    return vex_tail(b);
  }

  bool vex_tail(u8 b) {
    other_ = ~(b >> 3) & 15;
    length_ = b >> 2 & 1;
    pp_ = b & 3;
    return true;
  }

  bool evex() {
    ++at_;
    const u8 a = next(), b = next(), c = next();
    evex_ = true;
    high_reg_ = (a & 0x80 ? 0u : 8u) | (a & 0x10 ? 0u : 16u);
    high_index_ = a & 0x40 ? 0 : 8;
    high_base_ = a & 0x20 ? 0 : 8;
    high_rm_ = high_base_ | (high_index_ << 1);
    map_ = a & 7;
    w_ = (b & 0x80) != 0;
    other_ = (~(b >> 3) & 15) | (c & 8 ? 0u : 16u);
    pp_ = b & 3;
    length_ = c >> 5 & 3;
    broadcast_ = (c & 0x10) != 0;
    return (c & 7) == 0;  // no write mask
  }

  bool name(u8 opcode) {
    if (map_ == kMap0f) return name_basic(opcode);
    if (map_ != kMap0f38 || pp_ != k66 || legacy_) return false;
    const u8 form = opcode >> 4;
    if (form != 9 && form != 0xa && form != 0xb) return false;
    if ((opcode & 0xf) < 8) return false;
    insn_.kind = FpInsn::Kind::MulAdd;
    insn_.vector = (opcode & 1) == 0;
    insn_.wide = w_;
    return !insn_.vector || length_ == 0;
  }

  bool name_basic(u8 opcode) {
    insn_.vector = pp_ == kNone || pp_ == k66;
    insn_.wide = pp_ == k66 || pp_ == kF2;
    switch (opcode) {
      case 0x58:
        insn_.kind = FpInsn::Kind::Add;
        break;
      case 0x59:
        insn_.kind = FpInsn::Kind::Mul;
        break;
      case 0x5a:
        insn_.kind = FpInsn::Kind::Narrow;
        if (!insn_.wide) return false;
        break;
      case 0x5c:
        insn_.kind = FpInsn::Kind::Sub;
        break;
      case 0x5e:
        insn_.kind = FpInsn::Kind::Div;
        break;
      default:
        return false;
    }
    return !insn_.vector || length_ == 0;
  }

  /// The operand in memory, which is never the guest's.
  U128 memory() {
    const unsigned element = insn_.wide ? 8 : 4, bytes = insn_.vector && !broadcast_ ? 16 : element;
    const u8* p = reinterpret_cast<const u8*>(address(evex_ ? bytes : 1));
    U128 v{};
    if (!insn_.vector || !broadcast_) {
      std::memcpy(&v, p, bytes);
      return v;
    }
    for (unsigned i = 0; i < 16; i += element) std::memcpy(reinterpret_cast<u8*>(&v) + i, p, element);
    return v;
  }

  s64 displacement(unsigned bytes) {
    s32 wide = 0;
    s8 narrow = 0;
    bytes == 4 ? std::memcpy(&wide, at_, 4) : std::memcpy(&narrow, at_, 1);
    at_ += bytes;
    return bytes == 4 ? s64{wide} : s64{narrow};
  }

  /// `scale`: of a displacement of one byte.
  u64 address(unsigned scale) {
    const unsigned mode = modrm_ >> 6, rm = modrm_ & 7;
    u64 base = 0;
    bool has_base = true;
    if (rm == 4) {
      const u8 sib = next();
      const unsigned index = (sib >> 3 & 7) | high_index_;
      if (index != 4) base = frame_.general(index) << (sib >> 6);
      has_base = mode != 0 || (sib & 7) != 5;
      if (has_base) base += frame_.general((sib & 7) | high_base_);
    } else if (mode == 0 && rm == 5) {
      const s64 d = displacement(4);
      return reinterpret_cast<u64>(at_) + static_cast<u64>(d);
    } else {
      base = frame_.general(rm | high_base_);
    }
    if (mode == 1) return base + static_cast<u64>(displacement(1) * static_cast<s64>(scale));
    if (mode == 2 || !has_base) return base + static_cast<u64>(displacement(4));
    return base;
  }

  U128 negated(U128 v) const {
    const u64 signs = insn_.wide ? u64{1} << 63 : 0x8000000080000000;
    return {v.lo ^ signs, v.hi ^ signs};
  }

  void place_operands(u8 opcode, const U128& old, const U128& other, const U128& rm) {
    U128* x = insn_.operands;
    if (insn_.kind == FpInsn::Kind::Narrow) {
      x[0] = rm;
      return;
    }
    if (insn_.kind != FpInsn::Kind::MulAdd) {
      x[0] = other, x[1] = rm;
      return;
    }
    const u8 form = opcode >> 4;  // 132, 213, 231
    x[0] = form == 9 ? other : form == 0xa ? rm : old;
    x[1] = form == 9 ? old : other;
    x[2] = form == 0xa ? old : rm;
    if (opcode & 2) x[0] = negated(x[0]);
    if (opcode & 4) x[1] = negated(x[1]);
  }

  const HostFrame& frame_;
  const u8* const start_;
  const u8* at_;
  FpInsn insn_{};
  u8 map_ = 0, pp_ = 0, modrm_ = 0, length_ = 0;
  unsigned high_reg_ = 0, high_index_ = 0, high_base_ = 0, high_rm_ = 0, other_ = 0;
  bool legacy_ = false, evex_ = false, w_ = false, broadcast_ = false;
};

}  // namespace

std::optional<FpInsn> decode_fp_insn(const HostFrame& frame) {
  return Decoder(frame).run();
}

}  // namespace tiercel::backend::x64
