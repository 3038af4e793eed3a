// bench: class=fp flags=-O2 libs=-lm iterations=50 quick=5 steady=250
// Power iteration on an implicit matrix: integer to double conversion and division.
#include <math.h>

#include "kernel.h"

enum { kSize = 500 };

static double element(int i, int j) {
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static void times(const double* in, double* out, int transposed) {
  for (int i = 0; i < kSize; i++) {
    double sum = 0;
    for (int j = 0; j < kSize; j++) sum += (transposed ? element(j, i) : element(i, j)) * in[j];
    out[i] = sum;
  }
}

int main(int argc, char** argv) {
  static double u[kSize], v[kSize], t[kSize];
  for (int i = 0; i < kSize; i++) u[i] = 1;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    times(u, t, 0);
    times(t, v, 1);
    times(v, t, 0);
    times(t, u, 1);
  }
  double uv = 0, vv = 0;
  for (int i = 0; i < kSize; i++) uv += u[i] * v[i], vv += v[i] * v[i];
  return printf("%.7f\n", sqrt(uv / vv)) < 0;
}
