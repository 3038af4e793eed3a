// Work with descriptors inside a guest's process, without the guest ever seeing one.
#pragma once

namespace tiercel::service {

/// Runs `work` in a thread that has a descriptor table of its own, and waits for its end. What it opens is gone
/// afterwards and never took a number that the guest might use, close or have replaced meanwhile; what it maps stays.
/// No signal handler runs in it, and wait() does not see it. False: there is no such thread, for example because the
/// guest's next child is to be the first process of another PID namespace, which no process of ours may become.
bool run_with_own_descriptors(void (*work)(void*), void* argument);

/// The same in a process that shares this one's memory; without a signal at its end, so that only a wait() with __WALL
/// or __WCLONE sees it. To be called where run_with_own_descriptors runs `work`.
bool run_in_own_process(void (*work)(void*), void* argument);

}  // namespace tiercel::service
