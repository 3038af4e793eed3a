// The Backend for x86-64 hosts, and the way back from an interrupted host context to guest registers.
#include <cpuid.h>
#include <ucontext.h>

#include <cstring>

#include "backend/x64/emitter.h"
#include "backend/x64/runtime.h"

namespace tiercel::backend {
namespace x64 {
namespace {

/// From host register numbers to gregs.
constexpr int kGreg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                           REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

constexpr u32 kXstateMagic1 = 0x46505853;  // FP_XSTATE_MAGIC1 of <asm/sigcontext.h>
constexpr unsigned kHighZmm = 7;           // XSAVE component with ZMM16..31 (SDM vol. 1 "XSAVE-Supported Features")
constexpr u8 kCmpxchg16bRdi[] = {0xf0, 0x48, 0x0f, 0xc7, 0x0f};

class X64Backend final : public Backend {
 public:
  X64Backend(const VmLayout& layout, const HostFeatures& cpu)
      : layout_(layout), cpu_(cpu), plan_(layout.slots, cpu), emitter_(layout_, cpu_, plan_) {
    if (cpu.avx512vl) {
      u32 a = 0, b = 0, c = 0, d = 0;
      __get_cpuid_count(0xd, kHighZmm, &a, &b, &c, &d);
      high_zmm_offset_ = b;
    }
  }

  const char* name() const override { return "x64"; }
  Runtime make_runtime() override { return x64::make_runtime(layout_, cpu_, plan_); }
  void compile(const ir::Function& f, bool want_listing, CompiledCode& out) override {
    emitter_.compile(f, want_listing, out);
  }

  void wrap_region(const RegionCode& region, const RegionPlace& place, CompiledCode& out) override {
    emitter_.wrap_region(region, place, out);
  }

  void save_pinned(const void* ucontext, void* guest_state) const override {
    const auto& context = static_cast<const ucontext_t*>(ucontext)->uc_mcontext;
    auto* state = static_cast<u8*>(guest_state);
    const auto* fp = reinterpret_cast<const u8*>(context.fpregs);
    const u8* high = high_registers(fp);
    for (unsigned reg = 0; reg < kRegisterCount; ++reg) {
      if (!plan_.pinned(reg)) continue;
      u8* slot = state + layout_.slots[plan_.slot_of[reg]].offset;
      if (reg < kXmm0)
        std::memcpy(slot, &context.gregs[kGreg[reg]], 8);
      else if (reg < kXmm0 + 16)
        std::memcpy(slot, context.fpregs->_xmm[reg - kXmm0].element, 16);
      else if (high)
        std::memcpy(slot, high + 64 * (reg - kXmm0 - 16), 16);
      else
        std::memset(slot, 0, 16);  // the component is in its initial state
    }
    restore_borrowed(context, state);
  }

 private:
  /// ZMM16..31 of a signal frame, or null while they are all zero.
  const u8* high_registers(const u8* fp) const {
    if (!cpu_.avx512vl) return nullptr;
    constexpr std::size_t kSoftwareBytes = 464, kHeader = 512;  // <asm/sigcontext.h> _fpstate_64, _fpx_sw_bytes
    u32 magic;
    u64 present;
    std::memcpy(&magic, fp + kSoftwareBytes, 4);
    std::memcpy(&present, fp + kHeader, 8);
    if (magic != kXstateMagic1 || !(present >> kHighZmm & 1)) return nullptr;
    return fp + high_zmm_offset_;
  }

  /// See Emitter::emit_cas_wide: at its CMPXCHG16B, rdi holds the address and the guest's value is in the frame.
  void restore_borrowed(const mcontext_t& context, u8* state) const {
    const unsigned rdi = x86::rdi.id();
    const auto* code = reinterpret_cast<const u8*>(context.gregs[REG_RIP]);
    if (!plan_.pinned(rdi) || std::memcmp(code, kCmpxchg16bRdi, sizeof kCmpxchg16bRdi) != 0) return;
    const auto* stack = reinterpret_cast<const u8*>(context.gregs[REG_RSP]);
    std::memcpy(state + layout_.slots[plan_.slot_of[rdi]].offset, stack + frame::kBorrowed, 8);
  }

  const VmLayout layout_;
  const HostFeatures cpu_;
  const RegisterPlan plan_;
  Emitter emitter_;
  u32 high_zmm_offset_ = 0;
};

}  // namespace
}  // namespace x64

std::unique_ptr<Backend> make_x64_backend(const VmLayout& layout, const HostFeatures& features) {
  return std::make_unique<x64::X64Backend>(layout, features);
}

}  // namespace tiercel::backend
