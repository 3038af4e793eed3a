// The Backend for x86-64 hosts, and the way back from an interrupted host context to guest registers.
#include <cstring>

#include "backend/x64/emitter.h"
#include "backend/x64/fp_trap.h"
#include "backend/x64/gate.h"
#include "backend/x64/host_frame.h"
#include "backend/x64/region_stop.h"
#include "backend/x64/runtime.h"

namespace tiercel::backend {
namespace x64 {
namespace {

constexpr u8 kCmpxchg16bRdi[] = {0xf0, 0x48, 0x0f, 0xc7, 0x0f};

class X64Backend final : public Backend {
 public:
  X64Backend(const VmLayout& layout, const HostFeatures& cpu)
      : layout_(layout), cpu_(cpu), plan_(layout.slots, cpu), emitter_(layout_, cpu_, plan_), frames_(cpu) {}

  const char* name() const override { return "x64"; }
  Runtime make_runtime() override { return x64::make_runtime(layout_, cpu_, plan_); }
  void compile(const ir::Function& f, bool want_listing, CompiledCode& out) override {
    emitter_.compile(f, want_listing, out);
  }

  void make_gate(const GatePlace& place, CompiledCode& out) override { x64::make_gate(place, out); }

  void wrap_region(const RegionCode& region, const RegionPlace& place, CompiledCode& out) override {
    emitter_.wrap_region(region, place, out);
  }

  void save_pinned(const void* ucontext, void* guest_state) const override {
    const HostFrame frame = frames_.open(ucontext);
    auto* state = static_cast<u8*>(guest_state);
    for (unsigned reg = 0; reg < kRegisterCount; ++reg) {
      if (!plan_.pinned(reg)) continue;
      u8* slot = state + layout_.slots[plan_.slot_of[reg]].offset;
      if (reg < kXmm0) {
        const u64 value = frame.general(reg);
        std::memcpy(slot, &value, sizeof value);
      } else {
        const U128 value = frame.vector(reg - kXmm0);
        std::memcpy(slot, &value, sizeof value);
      }
    }
    restore_borrowed(frame, state);
  }

  bool leave_region(void* ucontext, VmContext& context) const override {
    return x64::leave_region(frames_.open(ucontext), layout_, context);
  }

  bool settle_fp_trap(void* ucontext, VmContext& context) const override {
    return x64::settle_fp_trap(frames_.open(ucontext), context);
  }

 private:
  /// See Emitter::emit_cas_wide: at its CMPXCHG16B, rdi holds the address and the guest's value is in the frame.
  void restore_borrowed(const HostFrame& frame, u8* state) const {
    const unsigned rdi = x86::rdi.id();
    const auto* code = reinterpret_cast<const u8*>(frame.pc());
    if (!plan_.pinned(rdi) || std::memcmp(code, kCmpxchg16bRdi, sizeof kCmpxchg16bRdi) != 0) return;
    const auto* stack = reinterpret_cast<const u8*>(frame.general(x86::rsp.id()));
    std::memcpy(state + layout_.slots[plan_.slot_of[rdi]].offset, stack + frame::kBorrowed, 8);
  }

  const VmLayout layout_;
  const HostFeatures cpu_;
  const RegisterPlan plan_;
  Emitter emitter_;
  const HostFrames frames_;
};

}  // namespace
}  // namespace x64

std::unique_ptr<Backend> make_x64_backend(const VmLayout& layout, const HostFeatures& features) {
  return std::make_unique<x64::X64Backend>(layout, features);
}

}  // namespace tiercel::backend
