// Runs the cases of a .test file on every tier.
//
//   91001041  add x1, x2, #4      in: x2=0x7fffffffffffffff      out: x1=0x8000000000000003
//
// The text is compared with our disassembly first, so that a wrong word cannot test something else. Lines without
// `out:` begin a sequence that the next line continues. Registers: x0..x30, sp, nzcv (a digit), fpcr, fpsr, v0..v31
// (hi_lo or one number), [offset] = eight bytes of data; a value may be `data+N`, the address of the data. What `in:`
// does not name is zero, and what `out:` does not name must not change. `out: pc=+8` says where a branch went, `out:
// fault` and `out: undefined` that the instruction did not complete.
#include <fmt/format.h>
#include <sys/mman.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "frontend-arm/a64/disassemble.h"
#include "frontend-arm/a64/isa_table.h"
#include "tests/diff/our_runners.h"

namespace tiercel::test {
namespace {

constexpr u32 kBrk = 0xd420'0000;

struct Case {
  int line = 0;
  std::vector<u32> words;
  std::vector<std::string> in, out;
};

struct Image {
  CpuState cpu;
  Data data = {};
  u64 end = 0;
  End how = End::Done;
};

std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

u64 number(const std::string& text) {
  if (text.starts_with("data")) return kDataBase + (text.size() > 4 ? std::stoull(text.substr(5), nullptr, 0) : 0);
  if (text.starts_with("pc")) return kCodeBase + std::stoull(text.substr(3), nullptr, 0);
  return text[0] == '-' ? static_cast<u64>(std::stoll(text, nullptr, 0)) : std::stoull(text, nullptr, 0);
}

/// One `name=value`. False if the name is unknown.
bool assign(Image& image, const std::string& item) {
  const std::size_t equals = item.find('=');
  if (item == "fault") return image.how = End::Fault, true;
  if (item == "undefined") return image.how = End::Undefined, true;
  if (equals == item.npos) return false;
  const std::string name = item.substr(0, equals), value = item.substr(equals + 1);
  if (name == "sp") {
    image.cpu.sp = number(value);
  } else if (name == "pc") {
    image.end = kCodeBase + std::stoull(value.substr(1), nullptr, 0);
  } else if (name == "nzcv") {
    image.cpu.nzcv = static_cast<u32>(number(value)) << 28;
  } else if (name == "fpcr") {
    image.cpu.fpcr = static_cast<u32>(number(value));
  } else if (name == "fpsr") {
    image.cpu.fpsr = static_cast<u32>(number(value));
  } else if (name == "tpidr") {
    image.cpu.tpidr = number(value);
  } else if (name[0] == 'x') {
    image.cpu.x[std::stoul(name.substr(1))] = number(value);
  } else if (name[0] == 'v') {
    const std::size_t split = value.find('_');
    U128& v = image.cpu.v[std::stoul(name.substr(1))];
    v = split == value.npos ? U128{number(value), 0}
                            : U128{number(value.substr(split + 1)), number(value.substr(0, split))};
  } else if (name[0] == '[') {
    const u64 word = number(value);
    std::memcpy(&image.data[std::stoul(name.substr(1), nullptr, 0)], &word, 8);
  } else {
    return false;
  }
  return true;
}

class File {
 public:
  explicit File(const char* path) : path_(path) {
    runners_.push_back(make_interp_runner(false));
    runners_.push_back(make_interp_runner(true));
    for (auto& r : make_fast_runners()) runners_.push_back(std::move(r));
  }
  int run();

 private:
  void fail(int line, const std::string& what) {
    fmt::print("{}:{}: {}\n", path_, line, what);
    ++failures_;
  }
  void parse_line(const std::string& line, int number, Case& c);
  void run_case(const Case& c);

  const char* path_;
  std::vector<std::unique_ptr<Runner>> runners_;
  int failures_ = 0, cases_ = 0;
};

void File::parse_line(const std::string& line, int number, Case& c) {
  const std::size_t in = line.find(" in:"), out = line.find(" out:");
  const std::string head = line.substr(0, std::min(in, out));
  const u32 word = static_cast<u32>(std::stoul(head.substr(0, 8), nullptr, 16));
  const u64 pc = kCodeBase + 4 * c.words.size();
  const std::string expected = squeezed(head.substr(8));
  const std::string text = arm::disassemble(arm::a64_table().find(word), word, pc);
  // Targets are written relative to the start of the case.
  if (text != expected) fail(number, fmt::format("{:08x} is '{}', not '{}'", word, text, expected));
  c.line = number;
  c.words.push_back(word);
  std::string item;
  if (in != line.npos) {
    std::istringstream items(line.substr(in + 4, out == line.npos ? out : out - in - 4));
    while (items >> item) c.in.push_back(item);
  }
  if (out == line.npos) return;
  std::istringstream items(line.substr(out + 5));
  while (items >> item) c.out.push_back(item);
  run_case(c);
  c = {};
}

void File::run_case(const Case& c) {
  ++cases_;
  Image start;
  start.cpu.pc = kCodeBase;
  start.end = kCodeBase + 4 * c.words.size();
  for (const std::string& item : c.in)
    if (!assign(start, item)) fail(c.line, "what is " + item);
  Image expected = start;
  for (const std::string& item : c.out)
    if (!assign(expected, item)) fail(c.line, "what is " + item);
  expected.cpu.pc = expected.how == End::Done ? expected.end : expected.end - 4;

  u32* code = reinterpret_cast<u32*>(kCodeBase);
  std::fill(code, code + 64, kBrk);
  std::copy(c.words.begin(), c.words.end(), code);
  for (const auto& runner : runners_) {
    runner->forget_code();
    Image got = start;
    const Outcome outcome = runner->run(got.cpu, got.data, expected.end);
    if (outcome.end != expected.how)
      fail(c.line, fmt::format("{}: ends with {} {}, not {}", runner->name(), name(outcome.end), outcome.note,
                               name(expected.how)));
    for (const std::string& d : differences(expected.cpu, expected.data, got.cpu, got.data))
      fail(c.line, fmt::format("{}: expected, got: {}", runner->name(), d));
  }
}

int File::run() {
  std::ifstream in(path_);
  if (!in) {
    fmt::print("{}: cannot be read\n", path_);
    return 1;
  }
  std::string line;
  Case c;
  for (int n = 1; std::getline(in, line); ++n) {
    if (const std::size_t comment = line.find(';'); comment != line.npos) line.resize(comment);
    if (squeezed(line).empty()) continue;
    parse_line(line, n, c);
  }
  if (!c.words.empty()) fail(c.line, "the last sequence has no out:");
  fmt::print("{}: {} cases, {} failures\n", path_, cases_, failures_);
  return failures_ || cases_ == 0 ? 1 : 0;
}

}  // namespace
}  // namespace tiercel::test

int main(int argc, char** argv) {
  using namespace tiercel;
  using namespace tiercel::test;
  for (const auto& [base, size] : {std::pair{kCodeBase, u64{1} << 20}, std::pair{kDataBase, kDataBytes}})
    if (mmap(reinterpret_cast<void*>(base), size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED) {
      fmt::print("cannot map {:#x}\n", base);
      return 1;
    }
  int status = 0;
  for (int i = 1; i < argc; ++i) status |= File(argv[i]).run();
  return argc < 2 ? 2 : status;
}
