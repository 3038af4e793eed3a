// The registers of a thread that a signal interrupted, in the frame that the kernel made for the handler
// (<asm/sigcontext.h>). Async-signal-safe.
#pragma once

#include <ucontext.h>

#include "backend/backend.h"

namespace tiercel::backend::x64 {

class HostFrame {
 public:
  /// The XSAVE area's bits of components that are not in their initial state, which is zero; and its component with
  /// ZMM16..31. Null where there is none.
  HostFrame(ucontext_t& context, u64* present, u8* high) : context_(context), present_(present), high_(high) {}

  /// By the hardware's numbers: 4 is rsp.
  u64 general(unsigned n) const;
  void set_general(unsigned n, u64 value);
  U128 vector(unsigned n) const;
  void set_vector(unsigned n, const U128& value);
  u64 pc() const { return static_cast<u64>(context_.uc_mcontext.gregs[REG_RIP]); }
  void set_pc(u64 pc) { context_.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc); }
  u32 mxcsr() const { return context_.uc_mcontext.fpregs->mxcsr; }
  void set_mxcsr(u32 value) { context_.uc_mcontext.fpregs->mxcsr = value; }

 private:
  bool has_high() const;

  ucontext_t& context_;
  u64* present_;
  u8* high_;
};

/// Knows this CPU's layout of such frames.
class HostFrames {
 public:
  explicit HostFrames(const HostFeatures& cpu);
  HostFrame open(void* ucontext) const;
  HostFrame open(const void* ucontext) const { return open(const_cast<void*>(ucontext)); }

 private:
  u32 high_zmm_offset_ = 0;  // 0: there are none
};

}  // namespace tiercel::backend::x64
