// bench: class=fp flags=-O2 libs=-lm iterations=700 quick=100 steady=3500
// A ray tracer in single precision: spheres over a plane, shadows and reflections.
#include <cmath>

#include "kernel.h"

struct Vec {
  float x, y, z;
  Vec operator+(Vec o) const { return {x + o.x, y + o.y, z + o.z}; }
  Vec operator-(Vec o) const { return {x - o.x, y - o.y, z - o.z}; }
  Vec operator*(float s) const { return {x * s, y * s, z * s}; }
};
static float dot(Vec a, Vec b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
static Vec unit(Vec v) {
  return v * (1.0f / std::sqrt(dot(v, v)));
}

struct Sphere {
  Vec centre;
  float radius;
  Vec colour;
  float mirror;
};
struct Hit {
  float distance;
  const Sphere* sphere;
};

static constexpr int kSpheres = 9;
static Sphere spheres[kSpheres];

static Hit nearest(Vec from, Vec to) {
  Hit hit{1e9f, nullptr};
  for (const Sphere& s : spheres) {
    Vec offset = from - s.centre;
    float b = dot(offset, to), c = dot(offset, offset) - s.radius * s.radius, square = b * b - c;
    if (square < 0) continue;
    float distance = -b - std::sqrt(square);
    if (distance > 1e-3f && distance < hit.distance) hit = {distance, &s};
  }
  return hit;
}

static Vec trace(Vec from, Vec to, int depth) {
  const Vec light = unit({0.6f, 0.9f, -0.5f});
  Hit hit = nearest(from, to);
  Vec point, normal, colour;
  float mirror = 0.2f;
  if (hit.sphere) {
    point = from + to * hit.distance;
    normal = (point - hit.sphere->centre) * (1.0f / hit.sphere->radius);
    colour = hit.sphere->colour;
    mirror = hit.sphere->mirror;
  } else if (to.y < -1e-3f) {
    point = from + to * (-(from.y + 1) / to.y);
    normal = {0, 1, 0};
    colour = (static_cast<int>(std::floor(point.x)) + static_cast<int>(std::floor(point.z))) & 1 ? Vec{.9f, .9f, .9f}
                                                                                                 : Vec{.2f, .2f, .2f};
  } else {
    return Vec{.5f, .7f, 1.0f} * (0.5f + 0.5f * to.y);
  }
  float lit = std::fmax(0.0f, dot(normal, light));
  if (lit > 0 && nearest(point, light).sphere) lit = 0;
  Vec out = colour * (0.1f + 0.9f * lit);
  if (depth > 0) out = out * (1 - mirror) + trace(point, to - normal * (2 * dot(to, normal)), depth - 1) * mirror;
  return out;
}

int main(int argc, char** argv) {
  int size = static_cast<int>(kernel_iterations(argc, argv));
  for (int i = 0; i < kSpheres; i++)
    spheres[i] = {{(i % 3 - 1) * 1.6f, (i / 3 - 1) * 0.9f + 0.5f, 4.0f + static_cast<float>(i % 4)},
                  0.7f,
                  {.1f * i, .9f - .1f * i, .5f},
                  0.3f};
  double sum = 0;
  for (int y = 0; y < size; y++)
    for (int x = 0; x < size; x++) {
      Vec to = unit({2.0f * x / size - 1, 1 - 2.0f * y / size, 1.5f});
      Vec colour = trace({0, 0, 0}, to, 3);
      sum += colour.x + 2 * colour.y + 3 * colour.z;
    }
  return printf("%.2f\n", sum / (size * size)) <
         0;  // rays on an edge may fall to either side when multiply-adds are fused
}
