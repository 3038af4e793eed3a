// bench: class=threads flags=-O2 libs=-pthread iterations=600 quick=30 cpus=2 scaling=1,2
// The same work in each of argv[2] threads, with a mutex, a condition variable and a shared counter now and then.
// With two threads on two free CPUs the elapsed time should equal that of one.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel.h"

struct Shared {
  std::mutex mutex;
  std::condition_variable finished;
  std::atomic<uint64_t> total{0};
  long left;
};

static void work(Shared& shared, long rounds) {
  std::vector<uint32_t> data(20000);
  uint32_t seed = 53;
  uint64_t sum = 0;
  for (long n = 0; n < rounds; n++) {
    for (auto& x : data) x = kernel_random(&seed) ^ static_cast<uint32_t>(n);
    for (size_t i = 1; i < data.size(); i++) data[i] += data[i - 1] >> (data[i] & 15);
    for (auto x : data) sum = kernel_mix(sum, x % 1000 < 500 ? x : x >> 3);
    shared.total += sum;
  }
  std::lock_guard<std::mutex> hold(shared.mutex);
  shared.left--;
  shared.finished.notify_one();
}

int main(int argc, char** argv) {
  long rounds = kernel_iterations(argc, argv), count = kernel_argument(argc, argv, 2);
  Shared shared;
  shared.left = count;
  std::vector<std::thread> threads;
  for (long i = 0; i < count; i++) threads.emplace_back(work, std::ref(shared), rounds);
  {
    std::unique_lock<std::mutex> hold(shared.mutex);
    shared.finished.wait(hold, [&] { return shared.left == 0; });
  }
  for (auto& t : threads) t.join();
  return kernel_result(shared.total);
}
