// bench: class=memory flags=-O2 iterations=16 quick=11 steady=19
// Builds, walks and frees many binary trees: the allocator and short-lived objects.
#include "kernel.h"

struct Node {
  Node *left, *right;
};

static Node* build(int depth) {
  if (depth == 0) return new Node{nullptr, nullptr};
  Node* left = build(depth - 1);
  return new Node{left, build(depth - 1)};
}

static uint32_t count(const Node* n) {
  return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static void destroy(Node* n) {
  if (n->left) destroy(n->left), destroy(n->right);
  delete n;
}

int main(int argc, char** argv) {
  int deepest = static_cast<int>(kernel_iterations(argc, argv));
  uint64_t sum = 0;
  Node* kept = build(deepest);
  for (int depth = 4; depth <= deepest; depth += 2) {
    for (int trees = 1 << (deepest - depth + 3); trees > 0; trees--) {
      Node* tree = build(depth);
      sum += count(tree);
      destroy(tree);
    }
  }
  sum = kernel_mix(sum, count(kept));
  destroy(kept);
  return kernel_result(sum);
}
