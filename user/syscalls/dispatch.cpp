#include "user/syscalls/dispatch.h"

#include <cerrno>

#include "user/process.h"
#include "user/syscalls/trace.h"

extern "C" tiercel::s64 tiercel_blocking_call(const volatile tiercel::u32* captured, long number, tiercel::u64 a,
                                              tiercel::u64 b, tiercel::u64 c, tiercel::u64 d, tiercel::u64 e,
                                              tiercel::u64 f);

namespace tiercel::user {

s64 host_call(Thread& thread, long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  const debug::Runner::Call call(thread.runner());
  return tiercel_blocking_call(thread.captured(), number, a, b, c, d, e, f);
}

namespace {

s64 perform(Thread& t, const SystemCallRow& row, const SystemCall& c) {
  if (row.handler) return row.handler(t, c);
  if (row.cls == CallClass::Pass)
    return host_call(t, row.host_number, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5]);
  t.process().count_refused(static_cast<unsigned>(c.number < 512 ? c.number : 511));
  return -ENOSYS;
}

}  // namespace

s64 dispatch(Thread& thread, const SystemCallRow& row, const SystemCall& call) {
  Process& process = thread.process();
  if (process.options().stats) process.count_call();
  if (!process.options().strace) [[likely]]
    return perform(thread, row, call);
  // The strings are read before the call: it may unmap or overwrite them.
  const std::string head = describe_call(row, call);
  if (may_end_process(row)) process.trace(head);
  const s64 result = perform(thread, row, call);
  process.trace(head + describe_result(row, call, result));
  return result;
}

}  // namespace tiercel::user
