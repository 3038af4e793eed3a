// The system call table of arm64 Linux (the generic numbers) and the way from a guest's SVC to an answer.
#pragma once

#include <span>
#include <string>

#include "base/types.h"
#include "user/thread.h"

namespace tiercel::user {

struct SystemCall {
  u64 number = 0;
  u64 args[6] = {};
};

/// How a call is answered.
enum class CallClass : u8 {
  Pass,     // the host kernel gets the same arguments: guest pointers are host pointers
  Convert,  // to the host kernel, with numbers, flags, paths or structures translated
  Emulate,  // answered here
  Refuse,   // ENOSYS, counted
};

using CallHandler = s64 (*)(Thread&, const SystemCall&);

struct SystemCallRow {
  u16 number = 0;
  const char* name = nullptr;  // null: no such call
  CallClass cls = CallClass::Refuse;
  bool restarts = false;  // a signal whose handler has SA_RESTART makes it start again (ERESTARTSYS)
  s16 host_number = -1;   // for Pass
  CallHandler handler = nullptr;
  const char* format = "";  // one letter per argument, see trace.h
};

/// The row for `number`; for unknown numbers a Refuse row without a name.
const SystemCallRow& system_call_row(u64 number);
std::span<const SystemCallRow> system_call_rows();

/// Performs the call. The guest's result, or kRestart or kResultIsSet.
s64 dispatch(Thread& thread, const SystemCallRow& row, const SystemCall& call);

/// A host system call that may wait. A signal for the guest that arrives before it starts makes it return kRestart, one
/// that arrives while it waits, -EINTR.
s64 host_call(Thread& thread, long number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0, u64 f = 0);

}  // namespace tiercel::user
