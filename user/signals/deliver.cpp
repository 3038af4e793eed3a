// Signals as the guest sees them: delivery, frames, return.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bits.h"
#include "engine/guarded_access.h"
#include "user/process.h"
#include "user/signals/frame.h"
#include "user/signals/host.h"
#include "user/thread.h"

namespace tiercel::user {

namespace {

constexpr u64 kPcAlignment = 0x22;  // class in ESR_EL1: Linux gives the address in siginfo only
constexpr u64 kSsAutodisarm = u64{1} << 31;
constexpr u64 kMinimumStack = 5120;  // MINSIGSTKSZ of arm64

/// The signal that the debugger wants instead of one that it has seen or not.
siginfo_t signal_from_debugger(int signal) {
  siginfo_t info = {};
  info.si_signo = signal;
  info.si_code = SI_USER;
  info.si_pid = getpid();
  info.si_uid = getuid();
  return info;
}

}  // namespace

bool Thread::capture(int signal, const siginfo_t& info) {
  const unsigned slot = own_signal_slot(signal);
  captured_info_[slot] = info;
  captured_info_[slot].si_signo = signal;
  captured_ = captured_ | 1u << slot;
  vcpu_->request_exit();
  return slot == 0;
}

void Thread::set_mask(u64 mask) {
  adopt_mask(mask);
  set_host_mask(mask_);
}

void Thread::adopt_mask(u64 mask) {
  mask_ = mask & ~kUnblockable;
  const u64 freed = held_back_ & ~mask_;
  if (freed == 0) return;
  held_back_ &= mask_;
  u32 slots = 0;
  for (const int signal : kOwnSignals)
    if (freed & signal_bit(signal)) slots |= 1u << own_signal_slot(signal);
  __atomic_fetch_or(&captured_, slots, __ATOMIC_SEQ_CST);
  vcpu_->request_exit();
}

bool Thread::waiting_signal_restarts() const {
  if (!(captured_ & 1)) return true;
  const GuestAction action = actions_.get(captured_info_[0].si_signo);
  return !action.has_handler() || (action.flags & static_cast<u64>(SA_RESTART));
}

void Thread::deliver_captured() {
  vcpu_->clear_exit_request();
  const u64 waiting_mask = has_waiting_mask_ ? waiting_mask_ : mask_;
  for (unsigned slot = 0; slot < std::size(captured_info_); ++slot) {
    if (!(captured_ & 1u << slot)) continue;
    const siginfo_t info = captured_info_[slot];
    // The host handler of the same slot cannot run in between: slot 0 is blocked, and one of the others arriving
    // twice merges as standard signals do.
    __atomic_fetch_and(&captured_, ~(1u << slot), __ATOMIC_SEQ_CST);
    if (slot != 0 && (waiting_mask & signal_bit(info.si_signo))) {
      held_back_ |= signal_bit(info.si_signo);
      continue;
    }
    if (!runner_) {
      deliver(info.si_signo, info, 0);
      continue;
    }
    const int chosen = runner_->filter_signal(info.si_signo);
    if (chosen == 0)
      set_mask(mask_);
    else
      deliver(chosen, chosen == info.si_signo ? info : signal_from_debugger(chosen), 0);
  }
  has_waiting_mask_ = false;
}

void Thread::deliver_injected() {
  // What was just served may have been a fork, and this its child.
  if (const int signal = runner_ ? runner_->signal_to_deliver() : 0) deliver(signal, signal_from_debugger(signal), 0);
}

/// What the host's kernel would have done, had it not shown us the signal.
void Thread::perform_default(int signal) {
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) process_.die(signal);
  die_by_signal(signal);  // stops
  actions_.mirror(signal);
}

void Thread::deliver(int signal, const siginfo_t& info, u64 esr) {
  const GuestAction action = actions_.take(signal);
  if (!action.has_handler()) {
    if (action.is_default() && !ignored_by_default(signal)) {
      // It became default after the host had noted it: the host kernel does the rest, whatever the default is.
      if (is_own_signal(signal)) process_.die(signal);
      if (actions_.catches_defaults()) {
        perform_default(signal);
        set_mask(mask_);
        return;
      }
      siginfo_t again = info;
      if (syscall(SYS_rt_tgsigqueueinfo, getpid(), tid_, signal, &again) < 0)
        syscall(SYS_tgkill, getpid(), tid_, signal);
    }
    set_mask(mask_);
    return;
  }
  const u64 saved = mask_;
  u64 during = has_waiting_mask_ ? waiting_mask_ : mask_;
  has_waiting_mask_ = false;
  during |= action.mask;
  if (!(action.flags & static_cast<u64>(SA_NODEFER))) during |= signal_bit(signal);
  if (!push_frame(signal, info, action, saved, esr)) {
    if (signal == SIGSEGV) process_.die(SIGSEGV);
    set_mask(mask_);
    force_signal(SIGSEGV, SI_KERNEL, 0);
    return;
  }
  set_mask(during);
  if (runner_) runner_->note_step();
}

bool Thread::push_frame(int signal, const siginfo_t& info, const GuestAction& action, u64 saved_mask, u64 esr) {
  arm::A64State& s = cpu();
  u64 sp = s.sp;
  const bool on_alt = sp - alt_stack_.base < alt_stack_.size && alt_stack_.size != 0;
  const bool disarms = static_cast<u64>(alt_stack_.flags) & kSsAutodisarm;
  if ((action.flags & static_cast<u64>(SA_ONSTACK)) && alt_stack_.size != 0 && (!on_alt || disarms))
    sp = alt_stack_.base + alt_stack_.size;

  SignalFrame frame = {};
  frame.info = info;
  frame.stack_base = alt_stack_.base;
  frame.stack_flags = alt_stack_.size == 0 ? SS_DISABLE : (alt_stack_.flags | (on_alt ? SS_ONSTACK : 0));
  frame.stack_size = alt_stack_.size;
  frame.mask = saved_mask;
  if (esr != 0 && esr >> 26 != kPcAlignment) frame.fault_address = reinterpret_cast<u64>(info.si_addr);
  std::memcpy(frame.x, s.x, sizeof frame.x);
  frame.sp = s.sp;
  frame.pc = s.pc;
  frame.pstate = arm::read_nzcv(s);
  frame.fpsimd = {.magic = kFpsimdMagic,
                  .size = sizeof frame.fpsimd,
                  .fpsr = arm::read_fpsr(s, vcpu_->fp_status()),
                  .fpcr = s.fpcr,
                  .v = {}};
  std::memcpy(frame.fpsimd.v, s.v, sizeof s.v);
  if (esr != 0) frame.esr = {.magic = kEsrMagic, .size = sizeof frame.esr, .esr = esr};

  const FrameRecord record{s.x[29], s.x[30]};
  const u64 record_at = align_down(sp - sizeof record, 16), frame_at = align_down(record_at, 16) - sizeof frame;
  if (on_alt && sp == s.sp && frame_at < alt_stack_.base) return false;  // overflow of the alternate stack
  if (engine::guarded_copy(reinterpret_cast<void*>(record_at), &record, sizeof record) != 0) return false;
  if (engine::guarded_copy(reinterpret_cast<void*>(frame_at), &frame, sizeof frame) != 0) return false;

  s.x[0] = static_cast<u64>(signal);
  if (action.flags & SA_SIGINFO) {
    s.x[1] = frame_at + offsetof(SignalFrame, info);
    s.x[2] = frame_at + offsetof(SignalFrame, flags);
  }
  s.sp = frame_at;
  s.x[29] = record_at;
  constexpr u64 kSaRestorer = 0x04000000;
  s.x[30] = action.flags & kSaRestorer ? action.restorer : process_.program().signal_return;
  s.pc = action.handler;
  s.excl_addr = ~u64{0};
  if (disarms) alt_stack_ = {};
  return true;
}

bool Thread::return_from_signal() {
  SignalFrame frame;
  arm::A64State& s = cpu();
  if ((s.sp & 15) != 0 || engine::guarded_copy(&frame, reinterpret_cast<const void*>(s.sp), sizeof frame) != 0)
    return false;
  // Records may have been reordered by the guest; FPSIMD must be among them.
  const u8* records = reinterpret_cast<const u8*>(&frame.fpsimd);
  const SignalFrame::Fpsimd* fpsimd = nullptr;
  for (u32 at = 0; at + 8 <= 4096;) {
    u32 head[2];
    std::memcpy(head, records + at, sizeof head);
    if (head[0] == 0) break;
    if (head[1] < 16 || head[1] % 16 != 0 || head[1] > 4096 - at) return false;
    if (head[0] == kFpsimdMagic && head[1] == sizeof(SignalFrame::Fpsimd))
      fpsimd = reinterpret_cast<const SignalFrame::Fpsimd*>(records + at);
    at += head[1];
  }
  if (!fpsimd) return false;
  std::memcpy(s.x, frame.x, sizeof s.x);
  s.sp = frame.sp;
  s.pc = frame.pc;
  arm::write_nzcv(s, static_cast<u32>(frame.pstate));
  s.fpcr = fpsimd->fpcr & 0x07c00000;  // AHP, DN, FZ, RMode
  std::memcpy(s.v, fpsimd->v, sizeof s.v);
  vcpu_->set_fp_status(arm::write_fpsr(s, fpsimd->fpsr));
  s.excl_addr = ~u64{0};
  alt_stack_ = {.base = frame.stack_base, .flags = frame.stack_flags & ~SS_ONSTACK, .size = frame.stack_size};
  if (frame.stack_flags & SS_DISABLE) alt_stack_ = {};
  set_mask(frame.mask);
  return true;
}

void Thread::force_signal(int signal, int code, u64 address, u64 esr) {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  info.si_signo = signal;
  info.si_code = code;
  info.si_addr = reinterpret_cast<void*>(address);
  if (runner_) {
    const int chosen = runner_->filter_signal(signal);
    if (chosen == 0) return;
    if (chosen != signal) return deliver(chosen, signal_from_debugger(chosen), 0);
  }
  const GuestAction action = actions_.get(signal);
  if (!action.has_handler() || (mask_ & signal_bit(signal))) process_.die(signal);
  deliver(signal, info, esr);
}

s64 Thread::change_alt_stack(u64 change, u64 old) {
  const u64 sp = cpu().sp;
  const bool on_alt = alt_stack_.size != 0 && sp - alt_stack_.base < alt_stack_.size;
  AltStack previous = alt_stack_;
  if (previous.size == 0) previous.flags = SS_DISABLE;
  if (on_alt) previous.flags |= SS_ONSTACK;
  if (change != 0) {
    AltStack next;
    if (engine::guarded_copy(&next, reinterpret_cast<const void*>(change), sizeof next) != 0) return -EFAULT;
    if (on_alt && !(static_cast<u64>(alt_stack_.flags) & kSsAutodisarm)) return -EPERM;
    const int mode = next.flags & ~static_cast<s32>(kSsAutodisarm);
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) return -EINVAL;
    if (mode == SS_DISABLE) {
      next = {};
    } else if (next.size < kMinimumStack) {
      return -ENOMEM;
    } else {
      next.flags &= static_cast<s32>(kSsAutodisarm);
    }
    alt_stack_ = next;
  }
  if (old != 0) {
    previous.pad = 0;
    if (engine::guarded_copy(reinterpret_cast<void*>(old), &previous, sizeof previous) != 0) return -EFAULT;
  }
  return 0;
}

}  // namespace tiercel::user
