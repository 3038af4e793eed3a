// bench: class=indirect flags=-O2 iterations=900 quick=60
// Virtual calls on a shuffled vector of shapes and on an expression tree.
#include <memory>
#include <vector>

#include "kernel.h"

struct Shape {
  virtual ~Shape() = default;
  virtual uint32_t area() const = 0;
  virtual void grow(uint32_t by) = 0;
};
struct Square final : Shape {
  uint32_t side;
  explicit Square(uint32_t s) : side(s) {}
  uint32_t area() const override { return side * side; }
  void grow(uint32_t by) override { side += by; }
};
struct Box final : Shape {
  uint32_t w, h;
  explicit Box(uint32_t s) : w(s), h(s + 3) {}
  uint32_t area() const override { return w * h; }
  void grow(uint32_t by) override { w += by, h ^= by; }
};
struct Triangle final : Shape {
  uint32_t base, height;
  explicit Triangle(uint32_t s) : base(s * 2), height(s) {}
  uint32_t area() const override { return base * height / 2; }
  void grow(uint32_t by) override { height += by; }
};
struct Ring final : Shape {
  uint32_t r;
  explicit Ring(uint32_t s) : r(s) {}
  uint32_t area() const override { return r * r * 3 - r; }
  void grow(uint32_t by) override { r = r * 2 + by; }
};

struct Expr {
  virtual ~Expr() = default;
  virtual uint32_t value(uint32_t x) const = 0;
};
struct Leaf final : Expr {
  uint32_t constant;
  explicit Leaf(uint32_t c) : constant(c) {}
  uint32_t value(uint32_t x) const override { return constant + x; }
};
struct Sum final : Expr {
  std::unique_ptr<Expr> a, b;
  uint32_t value(uint32_t x) const override { return a->value(x) + b->value(x ^ 1); }
};
struct Product final : Expr {
  std::unique_ptr<Expr> a, b;
  uint32_t value(uint32_t x) const override { return a->value(x + 1) * b->value(x); }
};

static std::unique_ptr<Shape> make_shape(uint32_t random) {
  uint32_t size = random >> 8 & 255;
  switch (random & 3) {
    case 0:
      return std::make_unique<Square>(size);
    case 1:
      return std::make_unique<Box>(size);
    case 2:
      return std::make_unique<Triangle>(size);
    default:
      return std::make_unique<Ring>(size);
  }
}

template <class Node>
static std::unique_ptr<Expr> join(std::unique_ptr<Expr> a, std::unique_ptr<Expr> b) {
  auto node = std::make_unique<Node>();
  node->a = std::move(a);
  node->b = std::move(b);
  return node;
}

static std::unique_ptr<Expr> make_tree(int depth, uint32_t& seed) {
  uint32_t random = kernel_random(&seed);
  if (depth == 0) return std::make_unique<Leaf>(random & 15);
  auto a = make_tree(depth - 1, seed);
  auto b = make_tree(depth - 1, seed);
  return random & 64 ? join<Sum>(std::move(a), std::move(b)) : join<Product>(std::move(a), std::move(b));
}

int main(int argc, char** argv) {
  uint32_t seed = 11;
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 0; i < 4000; i++) shapes.push_back(make_shape(kernel_random(&seed)));
  auto tree = make_tree(12, seed);
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--) {
    uint32_t total = 0;
    for (auto& shape : shapes) {
      total += shape->area();
      shape->grow(static_cast<uint32_t>(n));
    }
    sum = kernel_mix(sum, total + tree->value(total));
  }
  return kernel_result(sum);
}
