// C++: exceptions through frames and threads, RTTI, thread_local, containers, streams.
// flags: -pthread
#include <algorithm>
#include <condition_variable>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "check.h"

namespace {
int destroyed;
struct Guard {
  ~Guard() { destroyed++; }
};
int thrower(int depth) {
  Guard guard;
  if (depth == 0) throw std::runtime_error("from the bottom");
  return thrower(depth - 1) + 1;
}
struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square final : Shape {
  explicit Square(double side) : side(side) {}
  double area() const override { return side * side; }
  double side;
};
struct Circle final : Shape {
  double area() const override { return 3; }
};
thread_local std::string local = "fresh";
}  // namespace

int main() {
  std::string caught;
  for (int i = 0; i < 200; i++) try {
      thrower(20);
    } catch (const std::exception& e) {
      caught = e.what();
    }
  CHECK(caught == "from the bottom");
  CHECK(destroyed == 200 * 21);
  try {
    try {
      throw 5;
    } catch (int) {
      throw;
    }
  } catch (int value) {
    CHECK(value == 5);
  }
  try {
    (void)std::vector<int>(3).at(10);
  } catch (const std::out_of_range&) {
    CHECK(true);
  }
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 1; i < 100; i++)
    if (i % 3)
      shapes.push_back(std::make_unique<Square>(i));
    else
      shapes.push_back(std::make_unique<Circle>());
  double total = 0;
  int squares = 0;
  for (const auto& shape : shapes) {
    total += shape->area();
    squares += dynamic_cast<Square*>(shape.get()) != nullptr;
  }
  CHECK(total == 215688);
  CHECK(squares == 66);
  try {
    Shape& shape = *shapes[2];
    (void)dynamic_cast<Square&>(shape);
    CHECK(false);
  } catch (const std::bad_cast&) {
    CHECK(true);
  }

  auto failing = std::async(std::launch::async, []() -> int {
    local += " in thread";
    if (local != "fresh in thread") return 0;
    throw std::logic_error("carried over");
  });
  try {
    failing.get();
    CHECK(false);
  } catch (const std::logic_error& e) {
    CHECK(std::string(e.what()) == "carried over");
  }
  CHECK(local == "fresh");

  std::mt19937_64 random(42);
  std::vector<uint64_t> numbers(20000);
  std::generate(numbers.begin(), numbers.end(), random);
  std::sort(numbers.begin(), numbers.end());
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(std::accumulate(numbers.begin(), numbers.end(), uint64_t{0}) == 6429825697763589366ull);
  std::map<std::string, int> words;
  std::istringstream text("the quick brown fox jumps over the lazy dog the end");
  for (std::string word; text >> word;) words[word]++;
  CHECK(words["the"] == 3 && words.size() == 9);
  std::smatch match;
  const std::string date = "on 2024-02-29 at noon";
  CHECK(std::regex_search(date, match, std::regex("(\\d{4})-(\\d\\d)-(\\d\\d)")) && match[2] == "02");
  std::ostringstream out;
  out << std::hex << 255 << ' ' << std::scientific << 12345.678 << ' ' << std::boolalpha << true;
  CHECK(out.str() == "ff 1.234568e+04 true");
  return finish();
}
