// The memory that vfork children allocate for our own objects.
//
// Such a child works in its parent's memory, on its parent's thread-local storage, and may be killed anywhere, also
// inside malloc, whose lists would then stay half changed and whose locks would stay locked. So the allocations of a
// child come from a stretch of memory of their own by moving one pointer, and what a child frees is only noted; its
// parent frees it. The linker leads every call of malloc and its relatives here (--wrap).
#pragma once

namespace tiercel::user {

class BorrowerHeap {
 public:
  /// While it lives, the calling thread's allocations are a vfork child's. The parent makes it before the child starts
  /// and ends it when the child has gone.
  class Scope {
   public:
    Scope();
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    unsigned outer_;           // the child that makes this one, 0: none
    unsigned long start_ = 0;  // where its blocks begin
  };

  /// In the child of a fork, which has memory of its own and no vfork children.
  static void leave();
};

}  // namespace tiercel::user
