#include "backend/x64/gate.h"

#include <cstring>

#include "backend/x64/registers.h"

namespace tiercel::backend::x64 {
namespace {

// There are thousands of gates, and a block is linked sooner when its gate need not be assembled.
constexpr u8 kGate[] = {
    0x41, 0x83, 0xaf, 0,    0,    0,    0,    1,        //  0: sub dword [r15 + counter], 1
    0x0f, 0x88, 6,    0,    0,    0,                    //  8: js 20
    0x90,                                               // 14: nop
    0xe9, 17,   0,    0,    0,                          // 15: jmp 37, to be patched
    0x48, 0xb9, 0,    0,    0,    0,    0,    0, 0, 0,  // 20: mov rcx, pc
    0x41, 0xff, 0xa7, 0,    0,    0,    0,              // 30: jmp [r15 + the stub Hot]
    0x48, 0xb9, 0,    0,    0,    0,    0,    0, 0, 0,  // 37: mov rcx, pc
    0x48, 0x8d, 0x05, 0xda, 0xff, 0xff, 0xff,           // 47: lea rax, [16]
    0x41, 0xff, 0xa7, 0,    0,    0,    0,              // 54: jmp [r15 + the stub LinkMiss]
};
constexpr u32 kCounter = 3, kPatch = 16, kHotPc = 22, kHotStub = 33, kMiss = 37, kMissPc = 39, kMissStub = 57;

s32 stub_offset(Stub s) {
  return static_cast<s32>(stub_field(s).offset());
}

}  // namespace

void make_gate(u64 pc, CompiledCode& out) {
  out.clear();
  out.code.assign(std::begin(kGate), std::end(kGate));
  const auto put = [&out](u32 at, auto value) { std::memcpy(out.code.data() + at, &value, sizeof value); };
  put(kCounter, hot_counter_offset(pc) - kContextBias);
  put(kHotPc, pc);
  put(kHotStub, stub_offset(Stub::Hot));
  put(kMissPc, pc);
  put(kMissStub, stub_offset(Stub::LinkMiss));
  out.exits.push_back({kPatch, kMiss, pc});
}

}  // namespace tiercel::backend::x64
