// bench: class=fp flags=-O2 libs=-lm iterations=50 quick=5
// Solves dense linear systems by LU decomposition with partial pivoting, doubles.
#include <math.h>

#include "kernel.h"

enum { kSize = 200 };

static double matrix[kSize][kSize], right[kSize];

static void fill(uint32_t* seed) {
  for (int i = 0; i < kSize; i++) {
    right[i] = 0;
    for (int j = 0; j < kSize; j++) {
      matrix[i][j] = (double)kernel_random(seed) / 4294967296.0 - 0.5;
      right[i] += matrix[i][j];
    }
  }
}

static void axpy(double* y, const double* x, double a, int count) {
  for (int i = 0; i < count; i++) y[i] += a * x[i];
}

static void solve(void) {
  for (int k = 0; k < kSize; k++) {
    int pivot = k;
    for (int i = k + 1; i < kSize; i++)
      if (fabs(matrix[i][k]) > fabs(matrix[pivot][k])) pivot = i;
    for (int j = k; j < kSize && pivot != k; j++) {
      double t = matrix[k][j];
      matrix[k][j] = matrix[pivot][j];
      matrix[pivot][j] = t;
    }
    double t = right[k];
    right[k] = right[pivot];
    right[pivot] = t;
    for (int i = k + 1; i < kSize; i++) {
      double factor = -matrix[i][k] / matrix[k][k];
      axpy(&matrix[i][k + 1], &matrix[k][k + 1], factor, kSize - k - 1);
      right[i] += factor * right[k];
    }
  }
  for (int k = kSize; k-- > 0;) {
    for (int j = k + 1; j < kSize; j++) right[k] -= matrix[k][j] * right[j];
    right[k] /= matrix[k][k];
  }
}

int main(int argc, char** argv) {
  uint32_t seed = 19;
  double sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    fill(&seed);
    solve();
    for (int i = 0; i < kSize; i++) sum += right[i];
  }
  return printf("%.5f\n", sum) < 0;
}
