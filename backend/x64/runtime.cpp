// The stubs every block shares. They are placed once, at the start of the code cache.
#include "backend/x64/runtime.h"

#include <array>

#include "backend/region_code.h"
#include "base/check.h"

namespace tiercel::backend::x64 {
namespace {

using x86::Gp;
using x86::Xmm;

constexpr u8 kCalleeSaved[] = {3, 5, 12, 13, 14, 15};  // System V ABI: rbx rbp r12..r15
constexpr u32 kCalleeSavedMask = 1u << 3 | 1u << 5 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 15;

class Stubs {
 public:
  Stubs(const VmLayout& layout, const HostFeatures& cpu, const RegisterPlan& plan)
      : layout_(layout), cpu_(cpu), plan_(plan) {
    code_.init(asmjit::Environment::host());
    code_.attach(&a);
  }

  Runtime make() {
    Runtime r{};
    const asmjit::Label restore = a.newLabel(), leave = a.newLabel();
    r.enter = here();
    enter();
    r.common_exit = here();
    a.bind(leave);
    slots(&Stubs::store_gp, &Stubs::store_xmm, ~u64{0});
    r.fault_exit = here();
    a.bind(restore);
    restore_host();
    r.indirect = here();
    probe_victims();
    reason_stub(Reason::IndirectMiss, leave);
    for (u32& s : r.stubs) s = r.indirect;
    r.stubs[static_cast<unsigned>(Stub::IndirectMiss)] = r.indirect;
    r.stubs[static_cast<unsigned>(Stub::Interrupt)] = here();
    reason_stub(Reason::Interrupt, leave);
    r.stubs[static_cast<unsigned>(Stub::Misaligned)] = here();
    a.mov(TIERCEL_CONTEXT(exit_arg), x86::rax);
    reason_stub(Reason::Misaligned, leave);
    r.stubs[static_cast<unsigned>(Stub::LinkMiss)] = here();
    a.mov(TIERCEL_CONTEXT(exit_site), x86::rax);
    reason_stub(Reason::LinkMiss, leave);
    r.stubs[static_cast<unsigned>(Stub::Hot)] = here();
    a.mov(TIERCEL_CONTEXT(exit_arg), x86::rax);
    reason_stub(Reason::Hot, leave);
    r.stubs[static_cast<unsigned>(Stub::SlowAccess)] = here();
    reason_stub(Reason::SlowAccess, leave);
    r.stubs[static_cast<unsigned>(Stub::TlbFill)] = here();
    tlb_fill();
    static_assert(static_cast<unsigned>(Stub::RegionProbe) == kRegionProbeStub);
    r.stubs[kRegionProbeStub] = here();
    region_probe();
    r.stubs[static_cast<unsigned>(Stub::Eval)] = here();
    eval();
    r.stubs[static_cast<unsigned>(Stub::Helper)] = here();
    helper();
    const asmjit::CodeBuffer& buffer = code_.textSection()->buffer();
    r.code.assign(buffer.data(), buffer.data() + buffer.size());
    return r;
  }

 private:
  u32 here() {
    a.align(asmjit::AlignMode::kCode, 16);
    return static_cast<u32>(a.offset());
  }

  void load_gp(unsigned reg, u32 offset) { a.mov(x86::gpq(reg), state_field(offset, 8)); }
  void store_gp(unsigned reg, u32 offset) { a.mov(state_field(offset, 8), x86::gpq(reg)); }
  void move_xmm(Xmm x, const x86::Mem& m, bool store) {
    if (x.id() >= 16)
      store ? a.vmovdqa64(m, x) : a.vmovdqa64(x, m);
    else if (cpu_.avx)
      store ? a.vmovaps(m, x) : a.vmovaps(x, m);
    else
      store ? a.movaps(m, x) : a.movaps(x, m);
  }
  void load_xmm(unsigned id, u32 offset) { move_xmm(x86::xmm(id), state_field(offset, 16), false); }
  void store_xmm(unsigned id, u32 offset) { move_xmm(x86::xmm(id), state_field(offset, 16), true); }

  /// Calls the functions for each pinned register in `which`, with its slot's offset.
  void slots(void (Stubs::*for_gp)(unsigned, u32), void (Stubs::*for_xmm)(unsigned, u32), u64 which) {
    for (unsigned reg = 0; reg < kRegisterCount; ++reg) {
      if (!plan_.pinned(reg) || !(which & reg_bit(reg))) continue;
      const u32 offset = layout_.slots[plan_.slot_of[reg]].offset;
      if (reg >= kXmm0)
        (this->*for_xmm)(reg - kXmm0, offset);
      else
        (this->*for_gp)(reg, offset);
    }
  }

  /// void enter(VmContext* rdi, const void* host_code rsi). Six pushes and the return address leave rsp at 8 mod 16.
  void enter() {
    static_assert(frame::kSize % 16 == 0 && std::size(kCalleeSaved) % 2 == 0);
    for (const u8 reg : kCalleeSaved) a.push(x86::gpq(reg));
    a.sub(x86::rsp, frame::kSize + 8);
    a.lea(x86::r15, x86::ptr(x86::rdi, kContextBias));
    a.mov(TIERCEL_CONTEXT(host_sp), x86::rsp);
    mxcsr(true, TIERCEL_CONTEXT(host_mxcsr));
    mxcsr(false, TIERCEL_CONTEXT(mxcsr));
    a.mov(x86::rax, x86::rsi);
    slots(&Stubs::load_gp, &Stubs::load_xmm, ~u64{0});
    a.jmp(x86::rax);
  }

  void restore_host() {
    mxcsr(true, TIERCEL_CONTEXT(mxcsr));
    mxcsr(false, TIERCEL_CONTEXT(host_mxcsr));
    a.mov(x86::rsp, TIERCEL_CONTEXT(host_sp));
    a.add(x86::rsp, frame::kSize + 8);
    for (std::size_t i = std::size(kCalleeSaved); i-- > 0;) a.pop(x86::gpq(kCalleeSaved[i]));
    a.ret();
  }

  void mxcsr(bool store, const x86::Mem& m) {
    if (cpu_.avx)
      store ? a.vstmxcsr(m) : a.vldmxcsr(m);
    else
      store ? a.stmxcsr(m) : a.ldmxcsr(m);
  }

  void reason_stub(Reason reason, asmjit::Label leave) {
    a.mov(TIERCEL_CONTEXT(exit_pc), x86::rcx);
    a.mov(TIERCEL_CONTEXT(reason), asmjit::Imm(static_cast<u32>(reason)));
    a.jmp(leave);
  }

  /// Goes where the second table of the jump cache at rdx says guest pc rcx continues; falls through on a miss.
  void probe_victims() {
    const asmjit::Label miss = a.newLabel();
    const s32 table = static_cast<s32>(kJumpCacheSize * sizeof(JumpCacheEntry));
    a.imul(x86::eax, x86::ecx, asmjit::Imm(static_cast<s32>(kVictimFactor)));
    a.shr(x86::eax, 32 - kVictimBits);
    a.shl(x86::eax, 4);
    a.cmp(x86::qword_ptr(x86::rdx, x86::rax, 0, table), x86::rcx);
    a.jne(miss);
    if (layout_.translated) {
      a.and_(x86::rcx, asmjit::Imm(-static_cast<s32>(kPageSize)));
      a.mov(TIERCEL_CONTEXT(code_page), x86::rcx);
    }
    a.jmp(x86::qword_ptr(x86::rdx, x86::rax, 0, table + 8));
    a.bind(miss);
  }

  /// The frame of a stub: block-local registers that a C++ function may change. rsp is 8 mod 16 on entry.
  static constexpr s32 kSavedXmm = 64;
  static constexpr s32 kStubFrame = kSavedXmm + 16 * kXmmScratchCount + 8;
  static x86::Mem caller_frame(s32 offset, u32 size) { return x86::ptr(x86::rsp, kStubFrame + 8 + offset, size); }

  void scratch(bool store) {
    s32 at = 0;
    for (const u8 reg : kGpScratch) {
      const x86::Mem m = x86::qword_ptr(x86::rsp, at);
      store ? a.mov(m, x86::gpq(reg)) : a.mov(x86::gpq(reg), m);
      at += 8;
    }
    for (unsigned i = 0; i < kXmmScratchCount; ++i)
      move_xmm(x86::xmm(i), x86::ptr(x86::rsp, kSavedXmm + 16 * static_cast<s32>(i), 16), store);
  }

  void eval() {
    constexpr u64 kVolatile = ~u64{kCalleeSavedMask};
    a.sub(x86::rsp, kStubFrame);
    scratch(true);
    slots(&Stubs::store_gp, &Stubs::store_xmm, kVolatile);
    a.movsxd(x86::rdi, caller_frame(frame::kSelector, 4));
    a.add(x86::rdi, x86::qword_ptr(x86::rsp, kStubFrame));
    a.lea(x86::rsi, caller_frame(frame::kArgs, 8));
    a.lea(x86::rdx, caller_frame(frame::kResult, 8));
    a.mov(x86::rcx, TIERCEL_CONTEXT(fp_env));
    a.call(TIERCEL_CONTEXT(eval));
    slots(&Stubs::load_gp, &Stubs::load_xmm, kVolatile);
    scratch(false);
    a.add(x86::rsp, kStubFrame);
    a.ret();
  }

  /// The guest address in the frame becomes the host's. ZF: it is refused. What generated code did not probe for,
  /// because it knew that its group has to ask one by one, may be in the table.
  void tlb_fill() {
    constexpr u64 kVolatile = ~u64{kCalleeSavedMask};
    constexpr s32 kPushed = 8 * std::size(kLookUp) + 8;
    const x86::Mem address = x86::qword_ptr(x86::rsp, kPushed + frame::kAddress);
    const asmjit::Label miss = a.newLabel();
    for (const Gp& r : kLookUp) a.push(r);
    a.mov(x86::rax, address);
    a.mov(x86::ecx, x86::dword_ptr(x86::rsp, kPushed + frame::kSelector));
    look_up(miss);
    a.mov(address, x86::rax);
    a.test(x86::rax, x86::rax);
    pop(kLookUp);
    a.ret();
    a.bind(miss);
    pop(kLookUp);
    a.sub(x86::rsp, kStubFrame);
    scratch(true);
    slots(&Stubs::store_gp, &Stubs::store_xmm, kVolatile);
    a.lea(x86::rdi, x86::ptr(x86::r15, -kContextBias));
    a.mov(x86::rsi, caller_frame(frame::kAddress, 8));
    a.mov(x86::edx, caller_frame(frame::kSelector, 4));
    a.call(TIERCEL_CONTEXT(tlb_fill));
    a.mov(caller_frame(frame::kAddress, 8), x86::rax);
    a.test(x86::rax, x86::rax);
    slots(&Stubs::load_gp, &Stubs::load_xmm, kVolatile);
    scratch(false);
    a.lea(x86::rsp, x86::ptr(x86::rsp, kStubFrame));
    a.ret();
  }

  void pop(std::span<const Gp> pushed) {
    for (std::size_t i = pushed.size(); i-- > 0;) a.pop(pushed[i]);
  }

  static constexpr Gp kLookUp[] = {x86::rax, x86::rcx, x86::rdx, x86::rbx, x86::rsi};

  /// Guest address rax becomes the host's if the table for access ecx has it; rcx then is its page. Changes kLookUp,
  /// but rax and rcx only in case of success.
  void look_up(asmjit::Label miss) {
    const Gp x = x86::rax, access = x86::rcx, entry = x86::rdx, offset = x86::rbx, end = x86::rsi;
    static_assert(kTlbFillWrite == 1 << 8 && kTlbFillUser == 1 << 9);
    a.mov(entry.r32(), access.r32());
    a.shr(entry.r32(), 8);
    a.and_(entry.r32(), 3);
    a.mov(entry, x86::ptr(x86::r15, entry, 3, static_cast<s32>(offsetof(VmContext, tlb_read)) - kContextBias, 8));
    a.mov(offset, x);
    a.shr(offset, 12 - 3);
    a.and_(offset.r32(), asmjit::Imm((kTlbSize - 1) << 3));
    a.add(entry, offset);
    a.mov(offset, x);
    a.xor_(offset, x86::qword_ptr(entry, offsetof(TlbArrays, page)));
    a.movzx(end.r32(), access.r8());
    a.cmp(offset, asmjit::Imm(kPageSize));
    a.jae(miss);
    a.add(end, offset);
    a.cmp(end, asmjit::Imm(kPageSize));
    a.ja(miss);
    a.mov(x86::rcx, x86::qword_ptr(entry, offsetof(TlbArrays, page)));
    a.add(x, x86::qword_ptr(entry, offsetof(TlbArrays, distance)));
  }

  /// Changes only registers that it saves: those of a region are anybody's.
  void region_probe() {
    const asmjit::Label miss = a.newLabel();
    const Gp saved[] = {x86::rdx, x86::rbx, x86::rsi};
    for (const Gp& r : saved) a.push(r);
    look_up(miss);
    a.shr(x86::rcx, 1);
    pop(saved);
    a.ret();
    a.bind(miss);
    region_fill();
    pop(saved);
    a.ret();
  }

  /// As region_probe with a new entry; changes rdx, rbx and rsi as well.
  void region_fill() {
    constexpr std::array<u8, 5> kSaved = {7 /* rdi */, 8, 9, 10, 11};
    const u32 vectors = cpu_.avx512vl ? 32 : 16, masks = cpu_.avx512vl ? 8 : 0;
    a.push(x86::rbp);
    a.mov(x86::rbp, x86::rsp);
    for (const u8 reg : kSaved) a.push(x86::gpq(reg));
    a.sub(x86::rsp, 32 * vectors + 8 * masks);
    a.and_(x86::rsp, -64);
    region_vectors(vectors, masks, true);
    a.lea(x86::rdi, x86::ptr(x86::r15, -kContextBias));
    a.mov(x86::rsi, x86::rax);
    a.mov(x86::edx, x86::ecx);
    a.call(TIERCEL_CONTEXT(tlb_fill));
    region_vectors(vectors, masks, false);
    a.lea(x86::rsp, x86::ptr(x86::rbp, -8 * static_cast<s32>(kSaved.size())));
    for (std::size_t i = kSaved.size(); i-- > 0;) a.pop(x86::gpq(kSaved[i]));
    a.pop(x86::rbp);
    a.mov(x86::rcx, asmjit::Imm(-1));
  }

  void region_vectors(u32 vectors, u32 masks, bool store) {
    for (u32 i = 0; i < vectors; ++i) {
      const x86::Mem m = x86::ptr(x86::rsp, static_cast<s32>(32 * i), 32);
      const x86::Ymm y = x86::ymm(i);
      if (cpu_.avx512vl)
        store ? a.vmovdqu64(m, y) : a.vmovdqu64(y, m);
      else if (cpu_.avx)
        store ? a.vmovups(m, y) : a.vmovups(y, m);
      else
        store ? a.movups(m, x86::xmm(i)) : a.movups(x86::xmm(i), m);
    }
    for (u32 i = 0; i < masks; ++i) {
      const x86::Mem m = x86::ptr(x86::rsp, static_cast<s32>(32 * vectors + 8 * i), 8);
      store ? a.kmovq(m, x86::k(i)) : a.kmovq(x86::k(i), m);
    }
  }

  void helper() {
    a.sub(x86::rsp, kStubFrame);
    scratch(true);
    slots(&Stubs::store_gp, &Stubs::store_xmm, ~u64{0});
    a.mov(x86::rdi, TIERCEL_CONTEXT(guest_env));
    a.mov(x86::rsi, caller_frame(frame::kArgs, 8));
    a.mov(x86::rdx, caller_frame(frame::kArgs + 16, 8));
    a.mov(x86::rcx, caller_frame(frame::kArgs + 32, 8));
    a.mov(x86::r8, caller_frame(frame::kArgs + 48, 8));
    a.mov(x86::eax, caller_frame(frame::kSelector, 4));
    a.mov(x86::r11, TIERCEL_CONTEXT(helpers));
    a.call(x86::qword_ptr(x86::r11, x86::rax, 3));
    a.mov(caller_frame(frame::kResult, 8), x86::rax);
    slots(&Stubs::load_gp, &Stubs::load_xmm, ~u64{0});
    scratch(false);
    a.add(x86::rsp, kStubFrame);
    a.ret();
  }

  const VmLayout& layout_;
  const HostFeatures& cpu_;
  const RegisterPlan& plan_;
  asmjit::CodeHolder code_;
  x86::Assembler a;
};

}  // namespace

Runtime make_runtime(const VmLayout& layout, const HostFeatures& cpu, const RegisterPlan& plan) {
  return Stubs(layout, cpu, plan).make();
}

}  // namespace tiercel::backend::x64
