// bench: class=integer flags=-O2 iterations=4000 quick=300
// List processing, small integer matrices, a text state machine and a CRC, the mix that embedded CPU benchmarks use.
#include <string.h>

#include "kernel.h"

enum { kNodes = 200, kMatrix = 24, kText = 1000 };

struct Node {
  struct Node* next;
  int16_t key;
  uint16_t data;
};

static uint16_t crc16(uint16_t crc, uint32_t value, int bits) {
  for (int i = 0; i < bits; i++) {
    int carry = (crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static struct Node* merge(struct Node* a, struct Node* b) {
  struct Node head, *tail = &head;
  while (a && b) {
    struct Node** least = a->key <= b->key ? &a : &b;
    tail = tail->next = *least;
    *least = (*least)->next;
  }
  tail->next = a ? a : b;
  return head.next;
}

static struct Node* sort_list(struct Node* list) {
  if (!list || !list->next) return list;
  struct Node *slow = list, *fast = list->next;
  while (fast && fast->next) slow = slow->next, fast = fast->next->next;
  struct Node* half = slow->next;
  slow->next = NULL;
  return merge(sort_list(list), sort_list(half));
}

static struct Node* reverse(struct Node* list) {
  struct Node* out = NULL;
  while (list) {
    struct Node* next = list->next;
    list->next = out;
    out = list;
    list = next;
  }
  return out;
}

static uint16_t list_work(struct Node* nodes, uint32_t* seed) {
  for (int i = 0; i < kNodes; i++) {
    nodes[i].key = (int16_t)kernel_random(seed);
    nodes[i].data = (uint16_t)i;
    nodes[i].next = i + 1 < kNodes ? &nodes[i + 1] : NULL;
  }
  struct Node* list = reverse(sort_list(nodes));
  uint16_t crc = 0;
  for (struct Node* n = list; n; n = n->next) crc = crc16(crc, (uint16_t)n->key + n->data, 16);
  return crc;
}

static uint16_t matrix_work(int16_t a[kMatrix][kMatrix], int16_t b[kMatrix][kMatrix], uint32_t* seed) {
  static int32_t c[kMatrix][kMatrix];
  int16_t add = (int16_t)kernel_random(seed);
  for (int i = 0; i < kMatrix; i++)
    for (int j = 0; j < kMatrix; j++) a[i][j] = (int16_t)(i * j + add), b[i][j] = (int16_t)(i + j * 3 - add);
  uint16_t crc = 0;
  for (int i = 0; i < kMatrix; i++)
    for (int j = 0; j < kMatrix; j++) {
      int32_t sum = 0;
      for (int k = 0; k < kMatrix; k++) sum += (int32_t)a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  for (int i = 0; i < kMatrix; i++) crc = crc16(crc, (uint32_t)c[i][(i * 7) % kMatrix], 32);
  return crc;
}

enum State { kStart, kSign, kInteger, kPoint, kFraction, kExponent, kExponentDigits, kInvalid, kStates };

static enum State step(enum State s, uint8_t c) {
  int digit = c >= '0' && c <= '9';
  switch (s) {
    case kStart:
      return digit ? kInteger : c == '+' || c == '-' ? kSign : c == '.' ? kPoint : kInvalid;
    case kSign:
      return digit ? kInteger : c == '.' ? kPoint : kInvalid;
    case kInteger:
      return digit ? kInteger : c == '.' ? kFraction : c == 'e' ? kExponent : kInvalid;
    case kPoint:
    case kFraction:
      return digit ? kFraction : c == 'e' ? kExponent : kInvalid;
    case kExponent:
      return digit || c == '-' || c == '+' ? kExponentDigits : kInvalid;
    case kExponentDigits:
      return digit ? kExponentDigits : kInvalid;
    default:
      return kInvalid;
  }
}

static uint16_t state_work(uint8_t* text, uint32_t* seed) {
  static const char alphabet[] = "0123456789+-.e,,x456789,12345678";
  for (int i = 0; i < kText; i++) text[i] = (uint8_t)alphabet[kernel_random(seed) & 31];
  uint32_t counts[kStates] = {0};
  enum State s = kStart;
  for (int i = 0; i < kText; i++) {
    if (text[i] == ',') {
      counts[s]++;
      s = kStart;
    } else {
      s = step(s, text[i]);
    }
  }
  uint16_t crc = 0;
  for (int i = 0; i < kStates; i++) crc = crc16(crc, counts[i], 32);
  return crc;
}

int main(int argc, char** argv) {
  static struct Node nodes[kNodes];
  static int16_t a[kMatrix][kMatrix], b[kMatrix][kMatrix];
  static uint8_t text[kText];
  uint32_t seed = 0x1234567;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    sum = kernel_mix(sum, list_work(nodes, &seed));
    sum = kernel_mix(sum, matrix_work(a, b, &seed));
    sum = kernel_mix(sum, state_work(text, &seed));
  }
  return kernel_result(sum);
}
