// Work with descriptors inside a guest's process, without the guest ever seeing one.
#pragma once

namespace tiercel::service {

/// Runs `work` in a process that shares this one's memory but has a descriptor table of its own, and waits for it. What
/// it opens is gone afterwards and never took a number that the guest might use, close or have replaced meanwhile; what
/// it maps stays. No signal handler runs in it, and it is nobody's child to wait() for. False: there is no such
/// process.
bool run_with_own_descriptors(void (*work)(void*), void* argument);

}  // namespace tiercel::service
