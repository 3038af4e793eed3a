#include "backend/x64/host_frame.h"

#include <cpuid.h>

#include <cstring>

namespace tiercel::backend::x64 {
namespace {

constexpr int kGreg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                           REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

constexpr u32 kXstateMagic1 = 0x46505853;  // FP_XSTATE_MAGIC1 of <asm/sigcontext.h>
// XSAVE components (SDM vol. 1 "XSAVE-Supported Features"): XMM0..15; ZMM16..31.
constexpr unsigned kXmm = 1, kHighZmm = 7;
constexpr unsigned kZmmSize = 64;

}  // namespace

u64 HostFrame::general(unsigned n) const {
  return static_cast<u64>(context_.uc_mcontext.gregs[kGreg[n]]);
}

void HostFrame::set_general(unsigned n, u64 value) {
  context_.uc_mcontext.gregs[kGreg[n]] = static_cast<greg_t>(value);
}

bool HostFrame::has_high() const {
  return high_ != nullptr && (*present_ >> kHighZmm & 1) != 0;
}

U128 HostFrame::vector(unsigned n) const {
  U128 value{};
  if (n < 16)
    std::memcpy(&value, context_.uc_mcontext.fpregs->_xmm[n].element, sizeof value);
  else if (has_high())
    std::memcpy(&value, high_ + kZmmSize * (n - 16), sizeof value);
  return value;
}

void HostFrame::set_vector(unsigned n, const U128& value) {
  if (n < 16) {
    std::memcpy(context_.uc_mcontext.fpregs->_xmm[n].element, &value, sizeof value);
    if (present_ != nullptr) *present_ |= u64{1} << kXmm;
  } else if (high_ != nullptr) {
    if (!has_high()) std::memset(high_, 0, 16 * kZmmSize);
    *present_ |= u64{1} << kHighZmm;
    std::memcpy(high_ + kZmmSize * (n - 16), &value, sizeof value);
  }
}

HostFrames::HostFrames(const HostFeatures& cpu) {
  if (!cpu.avx512vl) return;
  u32 a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(0xd, kHighZmm, &a, &b, &c, &d);
  high_zmm_offset_ = b;
}

HostFrame HostFrames::open(void* ucontext) const {
  auto& context = *static_cast<ucontext_t*>(ucontext);
  auto* fp = reinterpret_cast<u8*>(context.uc_mcontext.fpregs);
  constexpr std::size_t kSoftwareBytes = 464, kHeader = 512;  // <asm/sigcontext.h> _fpstate_64, _fpx_sw_bytes
  u32 magic;
  std::memcpy(&magic, fp + kSoftwareBytes, 4);
  if (magic != kXstateMagic1) return {context, nullptr, nullptr};
  auto* present = reinterpret_cast<u64*>(fp + kHeader);
  return {context, present, high_zmm_offset_ == 0 ? nullptr : fp + high_zmm_offset_};
}

}  // namespace tiercel::backend::x64
