// bench: class=indirect flags=-O2 iterations=800 quick=80
// A bytecode interpreter with a switch per instruction, running a sieve.
#include <string.h>

#include "kernel.h"

enum Op { kPush, kLoad, kStore, kAdd, kSub, kMul, kLess, kJump, kJumpFalse, kGet, kPut, kDup, kPop, kIncrement, kHalt };
enum { kSieve = 2000 };

struct Insn {
  uint8_t op;
  int32_t arg;
};

// Locals: 0 = i, 1 = j, 2 = count.
static const struct Insn kProgram[] = {
    {kPush, 0},      {kStore, 2},     {kPush, 2},       {kStore, 0},                    //  0: count = 0, i = 2
    {kLoad, 0},      {kPush, kSieve}, {kLess, 0},       {kJumpFalse, 37},               //  4: while i < n
    {kLoad, 0},      {kGet, 0},       {kJumpFalse, 13}, {kIncrement, 0},  {kJump, 4},   //  8: if marked: i++, again
    {kIncrement, 2}, {kLoad, 0},      {kDup, 0},        {kMul, 0},        {kStore, 1},  // 13: count++, j = i*i
    {kLoad, 1},      {kPush, kSieve}, {kLess, 0},       {kJumpFalse, 35},               // 18: while j < n
    {kPush, 1},      {kLoad, 1},      {kPut, 0},        {kLoad, 1},       {kLoad, 0},   // 22: marked[j] = 1
    {kAdd, 0},       {kDup, 0},       {kPush, 3},       {kSub, 0},        {kPop, 0},  // 27: j + i (and some stack work)
    {kStore, 1},     {kPush, 0},      {kJumpFalse, 18},                               // 32: j = ..., again
    {kIncrement, 0}, {kJump, 4},      {kHalt, 0},                                     // 35: i++, again; 37
};

static int64_t run(const struct Insn* program, uint8_t* cells) {
  int64_t stack[16], locals[4] = {0};
  int64_t* sp = stack;
  for (const struct Insn* pc = program;; pc++) {
    switch ((enum Op)pc->op) {
      case kPush:
        *sp++ = pc->arg;
        break;
      case kLoad:
        *sp++ = locals[pc->arg];
        break;
      case kStore:
        locals[pc->arg] = *--sp;
        break;
      case kAdd:
        sp--, sp[-1] += sp[0];
        break;
      case kSub:
        sp--, sp[-1] -= sp[0];
        break;
      case kMul:
        sp--, sp[-1] *= sp[0];
        break;
      case kLess:
        sp--, sp[-1] = sp[-1] < sp[0];
        break;
      case kJump:
        pc = program + pc->arg - 1;
        break;
      case kJumpFalse:
        if (!*--sp) pc = program + pc->arg - 1;
        break;
      case kGet:
        sp[-1] = cells[sp[-1]];
        break;
      case kPut:
        sp -= 2, cells[sp[1]] = (uint8_t)sp[0];
        break;
      case kDup:
        sp[0] = sp[-1], sp++;
        break;
      case kPop:
        sp--;
        break;
      case kIncrement:
        locals[pc->arg]++;
        break;
      case kHalt:
        return locals[2];
    }
  }
}

int main(int argc, char** argv) {
  static uint8_t cells[kSieve];
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    memset(cells, 0, sizeof cells);
    sum = kernel_mix(sum, (uint64_t)run(kProgram, cells) + cells[n % kSieve]);
  }
  return kernel_result(sum);
}
