// Threads, mutexes, condition variables, barriers and atomics with exclusives (LDXR/STXR).
// flags: -mno-outline-atomics -pthread
#include "atomics.h"
