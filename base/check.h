// Broken invariants of ours: print and abort. Never for guest errors or bad input.
#pragma once

namespace tiercel {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* message);

}  // namespace tiercel

#define CHECK(cond)                                           \
  do {                                                        \
    if (!(cond)) [[unlikely]]                                 \
      ::tiercel::check_failed(__FILE__, __LINE__, #cond, ""); \
  } while (0)
#define CHECK_MSG(cond, message)                                     \
  do {                                                               \
    if (!(cond)) [[unlikely]]                                        \
      ::tiercel::check_failed(__FILE__, __LINE__, #cond, (message)); \
  } while (0)
#define UNREACHABLE() ::tiercel::check_failed(__FILE__, __LINE__, "unreachable", "")
#ifdef TIERCEL_VERIFY
#define DCHECK(cond) CHECK(cond)
#else
#define DCHECK(cond) static_cast<void>(sizeof(!(cond)))
#endif
