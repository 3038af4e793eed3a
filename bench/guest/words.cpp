// A small program with shared libraries, which lie at other addresses each time it is started: counts the words of its
// input, as scripts have many small programs do.
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

int main(int argc, char** argv) {
  std::map<std::string, int> counts;
  std::string word;
  std::istringstream arguments;
  for (int i = 1; i < argc; ++i) {
    arguments.clear();
    arguments.str(argv[i]);
    while (arguments >> word) ++counts[word];
  }
  for (const auto& [name, count] : counts) std::cout << std::setw(12) << name << ' ' << count << '\n';
  return counts.empty();
}
