// bench: class=fp flags=-O2 libs=-lm iterations=600 quick=60 steady=3000
// The C library's mathematical functions in double and float.
#include <math.h>

#include "kernel.h"

int main(int argc, char** argv) {
  double sum = 0;
  float fsum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    for (int i = 1; i <= 1000; i++) {
      double x = i / 64.0 + (double)n / 1024.0;  // exact on every machine
      sum += sin(x) + cos(x * 3) + tan(x * 0.1) + exp(-x) + log(x) + pow(x, 1.37) * 1e-3;
      sum += atan2(x, 2.5) + sinh(x * 0.05) + cbrt(x) + hypot(x, 1.5) + asin(x / 20) + fmod(x, 0.7) + erf(x * 0.2);
      sum += floor(x) + rint(x * 2.5) + trunc(x * 1.1) + fabs(-x) + (double)lround(x);
      float f = (float)x;
      fsum += sinf(f) + expf(-f) + logf(f) + powf(f, 0.3f) + sqrtf(f);
    }
    sum = fmod(sum, 1000);
    fsum = fmodf(fsum, 100);
  }
  return printf("%.4f %.0f\n", sum, (double)fsum / 10) < 0;
}
