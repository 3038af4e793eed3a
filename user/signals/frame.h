// The signal frame of arm64 Linux: uapi/asm/sigcontext.h, asm/ucontext.h, and the layout rules of "arm64 signal frame"
// there.
#pragma once

#include <csignal>
#include <cstddef>

#include "base/types.h"

namespace tiercel::user {

struct SignalFrame {
  siginfo_t info;
  // struct ucontext
  u64 flags;
  u64 link;
  u64 stack_base;
  s32 stack_flags;
  s32 stack_pad;
  u64 stack_size;
  u64 mask;
  u8 unused[120];
  // struct sigcontext
  alignas(16) u64 fault_address;
  u64 x[31];
  u64 sp;
  u64 pc;
  u64 pstate;
  // Records: a magic number and a size each, ended by a zero record.
  struct alignas(16) Fpsimd {
    u32 magic, size;
    u32 fpsr, fpcr;
    U128 v[32];
  } fpsimd;
  struct Esr {
    u32 magic, size;
    u64 esr;
  } esr;  // all zero, and so the end, if no memory fault is described
  u8 rest[4096 - sizeof(Fpsimd) - sizeof(Esr)];
};
static_assert(sizeof(siginfo_t) == 128);
static_assert(offsetof(SignalFrame, mask) == 128 + 40);
static_assert(offsetof(SignalFrame, fault_address) == 128 + 176);
static_assert(offsetof(SignalFrame, fpsimd) == 128 + 176 + 288);
static_assert(sizeof(SignalFrame) == 128 + 4560);

inline constexpr u32 kFpsimdMagic = 0x46508001;
inline constexpr u32 kEsrMagic = 0x45535201;
inline constexpr u32 kExtraMagic = 0x45585401;

/// What the frame pointer of a handler points at, above the frame: lets debuggers walk through it.
struct FrameRecord {
  u64 fp, lr;
};

}  // namespace tiercel::user
