// The frame of a guest test: each CHECK prints the condition and whether it held; finish() prints `done` last, so that
// a program that ends early by mistake cannot look like one that passed.
#ifndef TESTS_USER_PROGRAMS_CHECK_H
#define TESTS_USER_PROGRAMS_CHECK_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

#define CHECK(condition)                                                \
  do {                                                                  \
    int held_ = (condition) ? 1 : 0;                                    \
    check_failures += !held_;                                           \
    printf("%s %s\n", held_ ? "ok  " : "FAIL", #condition);             \
    if (!held_) printf("     at line %d, errno %d\n", __LINE__, errno); \
    fflush(stdout);                                                     \
  } while (0)

// For calls that fail with a given errno.
#define CHECK_ERRNO(call, expected) \
  do {                              \
    errno = 0;                      \
    CHECK((call) == -1);            \
    CHECK(errno == (expected));     \
  } while (0)

static inline int finish(void) {
  puts(check_failures ? "failed" : "done");
  return check_failures ? 1 : 0;
}
#endif
