#include "backend/x64/gate.h"

#include <algorithm>
#include <cstring>

#include "backend/x64/registers.h"

namespace tiercel::backend::x64 {
namespace {

// There are thousands of gates, and a block is linked sooner when its gate need not be assembled. `pc` stands for the
// insns that load it, kLoadPc bytes.
constexpr u8 kGate[] = {
    0x41, 0x83, 0xaf, 0,    0,    0,    0,    1,                         //  0: sub dword [r15 + counter], 1
    0x0f, 0x88, 6,    0,    0,    0,                                     //  8: js 20
    0x90,                                                                // 14: nop
    0xe9, 26,   0,    0,    0,                                           // 15: jmp 46, to be patched
    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0,    // 20: load pc
    0xb8, 0,    0,    0,    0,                                           // 34: mov eax, counter's index
    0x41, 0xff, 0xa7, 0,    0,    0,    0,                               // 39: jmp [r15 + the stub Hot]
    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0,    // 46: load pc
    0x48, 0x8d, 0x05, 0xcd, 0xff, 0xff, 0xff,                            // 60: lea rax, [16]
    0x41, 0xff, 0xa7, 0,    0,    0,    0,                               // 67: jmp [r15 + the stub LinkMiss]
};
constexpr u32 kCounter = 3, kPatch = 16, kHotPc = 20, kIndex = 35, kHotStub = 42, kMiss = 46, kMissPc = 46,
              kMissStub = 70;
constexpr u32 kLoadPc = 14;
constexpr u8 kAbsolute[kLoadPc] = {0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0,  // mov rcx, pc
                                   0x0f, 0x1f, 0x40, 0};                // nop
constexpr u32 kAbsolutePc = 2;
constexpr u8 kRelative[kLoadPc] = {0x49, 0x8b, 0x8f, 0, 0, 0, 0,   // mov rcx, [r15 + code_page]
                                   0x48, 0x8d, 0x89, 0, 0, 0, 0};  // lea rcx, [rcx + pc]
constexpr u32 kCodePage = 3, kRelativePc = 10;

s32 stub_offset(Stub s) {
  return static_cast<s32>(stub_field(s).offset());
}

}  // namespace

void make_gate(const GatePlace& place, CompiledCode& out) {
  out.clear();
  out.code.assign(std::begin(kGate), std::end(kGate));
  const auto put = [&out](u32 at, auto value) { std::memcpy(out.code.data() + at, &value, sizeof value); };
  const u32 counter = hot_counter_index(place.origin + place.pc);
  put(kCounter, hot_counter_offset(counter) - kContextBias);
  put(kIndex, counter);
  put(kHotStub, stub_offset(Stub::Hot));
  put(kMissStub, stub_offset(Stub::LinkMiss));
  for (const u32 at : {kHotPc, kMissPc}) {
    std::copy_n(place.relative ? kRelative : kAbsolute, kLoadPc, out.code.begin() + at);
    if (place.relative) {
      put(at + kCodePage, static_cast<s32>(offsetof(VmContext, code_page)) - kContextBias);
      put(at + kRelativePc, static_cast<s32>(place.pc));
    } else {
      put(at + kAbsolutePc, place.pc);
    }
  }
  out.exits.push_back({kPatch, kMiss, place.pc});
}

}  // namespace tiercel::backend::x64
