// bench: class=memory flags=-O2 iterations=6 quick=1
// Standard containers: map, unordered_map, vector, deque, priority_queue, string and the algorithms over them.
#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernel.h"

static uint64_t ordered(uint32_t& seed) {
  std::map<uint32_t, uint32_t> map;
  for (int i = 0; i < 15000; i++) map[kernel_random(&seed) % 10000] += static_cast<uint32_t>(i);
  for (int i = 0; i < 3000; i++) map.erase(kernel_random(&seed) % 10000);
  return std::accumulate(map.begin(), map.end(), uint64_t{0},
                         [](uint64_t s, auto& e) { return kernel_mix(s, e.first ^ e.second); });
}

static uint64_t words(uint32_t& seed) {
  std::unordered_map<std::string, uint32_t> counts;
  for (int i = 0; i < 20000; i++) {
    std::string word = "w" + std::to_string(kernel_random(&seed) % 3000);
    if (i % 3 == 0) word += "-with-a-longer-tail";
    counts[word]++;
  }
  std::vector<std::pair<std::string, uint32_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  uint64_t sum = 0;
  for (auto& [word, count] : sorted) sum = kernel_mix(sum, count + word.size() + static_cast<uint8_t>(word.back()));
  return sum;
}

static uint64_t queues(uint32_t& seed) {
  std::priority_queue<uint32_t> heap;
  std::deque<uint32_t> recent;
  uint64_t sum = 0;
  for (int i = 0; i < 20000; i++) {
    heap.push(kernel_random(&seed));
    recent.push_back(heap.top());
    if (i % 3 == 0) heap.pop();
    if (recent.size() > 100) {
      sum += recent.front();
      recent.pop_front();
    }
  }
  return sum;
}

static uint64_t vectors(uint32_t& seed) {
  std::vector<uint32_t> v;
  for (int i = 0; i < 50000; i++) v.push_back(kernel_random(&seed));
  std::sort(v.begin(), v.end());
  v.erase(std::remove_if(v.begin(), v.end(), [](uint32_t x) { return x % 7 == 0; }), v.end());
  uint64_t sum = v.size();
  for (int i = 0; i < 5000; i++)
    sum += static_cast<uint64_t>(std::lower_bound(v.begin(), v.end(), kernel_random(&seed)) - v.begin());
  return sum;
}

int main(int argc, char** argv) {
  uint32_t seed = 23;
  uint64_t sum = 0;
  for (long n = kernel_iterations(argc, argv); n > 0; n--)
    for (auto* part : {ordered, words, queues, vectors}) sum = kernel_mix(sum, part(seed));
  return kernel_result(sum);
}
