// bench: class=fp flags=-O2 libs=-lm iterations=800000 quick=80000
// Planets attracting each other: double multiply, add, divide and square root in long dependent chains.
#include <math.h>

#include "kernel.h"

enum { kBodies = 5 };
struct Body {
  double x, y, z, vx, vy, vz, mass;
};

static struct Body bodies[kBodies] = {
    {0, 0, 0, 0, 0, 0, 39.47841760435743},
    {4.84143144246472090, -1.16032004402742839, -0.10362204447112311, 0.60632639299583202, 2.81198684491626016,
     -0.02521836165988763, 0.03769367487038949},
    {8.34336671824457987, 4.12479856412430479, -0.40352341711432138, -1.01077434617879236, 1.82566237123041186,
     0.00841576137658415, 0.01128632613196877},
    {12.8943695621391310, -15.1111514016986312, -0.22330757889265573, 1.08279100644153536, 0.86871301816960822,
     -0.01083263740136364, 0.00172372405705971},
    {15.3796971148509165, -25.9193146099879641, 0.17925877295037118, 0.97909073224389797, 0.59469899864767617,
     -0.03475595551007794, 0.00203368686992463},
};

static void advance(double dt) {
  for (int i = 0; i < kBodies; i++) {
    struct Body* a = &bodies[i];
    for (int j = i + 1; j < kBodies; j++) {
      struct Body* b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double square = dx * dx + dy * dy + dz * dz;
      double magnitude = dt / (square * sqrt(square));
      a->vx -= dx * b->mass * magnitude, a->vy -= dy * b->mass * magnitude, a->vz -= dz * b->mass * magnitude;
      b->vx += dx * a->mass * magnitude, b->vy += dy * a->mass * magnitude, b->vz += dz * a->mass * magnitude;
    }
  }
  for (int i = 0; i < kBodies; i++) {
    struct Body* b = &bodies[i];
    b->x += dt * b->vx, b->y += dt * b->vy, b->z += dt * b->vz;
  }
}

static double energy(void) {
  double e = 0;
  for (int i = 0; i < kBodies; i++) {
    struct Body* a = &bodies[i];
    e += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
    for (int j = i + 1; j < kBodies; j++) {
      struct Body* b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      e -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return e;
}

int main(int argc, char** argv) {
  for (long n = kernel_iterations(argc, argv); n > 0; n--) advance(0.01);
  return printf("%.6f\n", energy()) <
         0;  // fused and unfused multiply-add differ in the last bits, so the print is rounded
}
