// Runs a fuzz target without libFuzzer: the inputs named on the command line (directories are read recursively), then a
// number of random changes of them. The same seed gives the same inputs, so that ctest repeats exactly.
//   PROGRAM [--runs=N] [--seed=S] [--max-size=N] FILE...
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "base/types.h"

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size);

namespace {

using tiercel::u64;
using tiercel::u8;
using Bytes = std::vector<u8>;

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void add_inputs(const std::filesystem::path& path, std::vector<Bytes>& inputs) {
  if (!std::filesystem::is_directory(path)) {
    inputs.push_back(read_file(path));
    return;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) inputs.push_back(read_file(file));
}

class Mutator {
 public:
  explicit Mutator(u64 seed) : random_(seed) {}

  Bytes change(const std::vector<Bytes>& inputs) {
    Bytes out = inputs[below(inputs.size())];
    for (u64 i = 0, n = 1 + below(8); i < n; ++i) change_once(out, inputs);
    return out;
  }

 private:
  u64 below(u64 n) { return n == 0 ? 0 : random_() % n; }

  void change_once(Bytes& out, const std::vector<Bytes>& inputs) {
    if (out.empty()) out.push_back(0);
    const std::size_t at = below(out.size());
    switch (below(7)) {
      case 0:
        out[at] ^= static_cast<u8>(1u << below(8));
        break;
      case 1:
        out[at] = static_cast<u8>(random_());
        break;
      case 2: {  // an interesting number of 1, 2, 4 or 8 bytes
        const u64 numbers[] = {0,      1,          0x7f,       0x80,  0xff,       0x7fff,
                               0x8000, 0x7fffffff, 0x80000000, ~0ull, 1ull << 63, out.size()};
        const u64 number = numbers[below(std::size(numbers))];
        std::memcpy(&out[at], &number, std::min<std::size_t>(std::size_t{1} << below(4), out.size() - at));
        break;
      }
      case 3:
        out.resize(at);
        break;
      case 4:
        out.erase(out.begin() + static_cast<long>(at),
                  out.begin() + static_cast<long>(std::min(out.size(), at + 1 + below(16))));
        break;
      case 5: {  // repeat a piece
        const Bytes piece(out.begin() + static_cast<long>(at),
                          out.begin() + static_cast<long>(std::min(out.size(), at + 1 + below(32))));
        out.insert(out.begin() + static_cast<long>(below(out.size())), piece.begin(), piece.end());
        break;
      }
      case 6: {  // a piece of another input
        const Bytes& other = inputs[below(inputs.size())];
        if (other.empty()) break;
        const std::size_t from = below(other.size());
        const Bytes piece(other.begin() + static_cast<long>(from),
                          other.begin() + static_cast<long>(std::min(other.size(), from + 1 + below(64))));
        out.insert(out.begin() + static_cast<long>(at), piece.begin(), piece.end());
        break;
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  u64 runs = 10000, seed = 1, max_size = 1 << 20;
  std::vector<Bytes> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--runs="))
      runs = std::stoull(argument.substr(7));
    else if (argument.starts_with("--seed="))
      seed = std::stoull(argument.substr(7));
    else if (argument.starts_with("--max-size="))
      max_size = std::stoull(argument.substr(11));
    else
      add_inputs(argument, inputs);
  }
  for (Bytes& input : inputs) {
    if (input.size() > max_size) input.resize(max_size);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  if (inputs.empty()) inputs.push_back(Bytes(64));
  Mutator mutator(seed);
  for (u64 i = 0; i < runs; ++i) {
    const Bytes input = mutator.change(inputs);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  fmt::print("{} inputs and {} changed ones, seed {}\n", inputs.size(), runs, seed);
}
