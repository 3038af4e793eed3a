// bench: class=integer flags=-O2 iterations=8 quick=1
// Quicksort, heapsort and merge sort written out, on the same random array.
#include <string.h>

#include "kernel.h"

enum { kCount = 60000 };

static void quick(int32_t* a, long low, long high) {
  while (low < high) {
    int32_t pivot = a[(low + high) / 2];
    long i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) {
        int32_t t = a[i];
        a[i++] = a[j];
        a[j--] = t;
      }
    }
    if (j - low < high - i) {
      quick(a, low, j);
      low = i;
    } else {
      quick(a, i, high);
      high = j;
    }
  }
}

static void sift(int32_t* a, long root, long count) {
  int32_t value = a[root];
  for (long child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && a[child + 1] > a[child]) child++;
    if (a[child] <= value) break;
    a[root] = a[child];
  }
  a[root] = value;
}

static void heap(int32_t* a, long count) {
  for (long i = count / 2; i-- > 0;) sift(a, i, count);
  for (long i = count - 1; i > 0; i--) {
    int32_t t = a[0];
    a[0] = a[i];
    a[i] = t;
    sift(a, 0, i);
  }
}

static void merge(int32_t* a, int32_t* scratch, long count) {
  if (count < 12) {
    for (long i = 1; i < count; i++) {
      int32_t value = a[i];
      long j = i;
      for (; j > 0 && a[j - 1] > value; j--) a[j] = a[j - 1];
      a[j] = value;
    }
    return;
  }
  long half = count / 2, i = 0, j = half, out = 0;
  merge(a, scratch, half);
  merge(a + half, scratch, count - half);
  memcpy(scratch, a, (size_t)half * sizeof *a);
  while (i < half && j < count) a[out++] = scratch[i] <= a[j] ? scratch[i++] : a[j++];
  while (i < half) a[out++] = scratch[i++];
}

int main(int argc, char** argv) {
  static int32_t source[kCount], a[kCount], scratch[kCount];
  uint32_t seed = 42;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    for (int i = 0; i < kCount; i++) source[i] = (int32_t)kernel_random(&seed);
    for (int method = 0; method < 3; method++) {
      memcpy(a, source, sizeof a);
      if (method == 0) quick(a, 0, kCount - 1);
      if (method == 1) heap(a, kCount);
      if (method == 2) merge(a, scratch, kCount);
      for (int i = 0; i < kCount; i += 997) sum = kernel_mix(sum, (uint32_t)a[i]);
    }
  }
  return kernel_result(sum);
}
