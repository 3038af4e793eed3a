// The same as threads.c with the single-instruction atomics of Armv8.1 (LSE).
// flags: -march=armv8.1-a -pthread
#include "atomics.h"
