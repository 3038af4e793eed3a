// Random A64 sequences with random state, executed by Unicorn and by our tiers. Prints every first disagreement with
// all that is needed to understand it, and the sequence reduced to the instructions that matter.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>

#include "frontend-arm/a64/disassemble.h"
#include "tests/diff/encodings.h"
#include "tests/diff/loop_generator.h"
#include "tests/diff/our_runners.h"
#include "tests/diff/unicorn_runner.h"
#include "tests/support/underflow.h"

namespace tiercel::test {
namespace {

constexpr u32 kUnderflow = 1u << 3;  // FPSR.UFC
constexpr u64 kWild = 1 << 17;       // distance from the data beyond which other memory may begin
constexpr int kMaxSteps = 200'000;
constexpr std::size_t kMaxFaults = 32;  // behind which a program goes on

struct Options {
  u64 seed = 1, count = 1'000'000, states = 8;
  unsigned max_insns = 6, max_reports = 20;
  u32 host_level = 4;
  double seconds = 0;
  bool llvm = false, loops = false;
  std::string only, write;
};

void install(const Sequence& s) {
  u32* code = reinterpret_cast<u32*>(s.pc);
  std::fill(code, code + (s.goes_on ? kLoopSlotBytes : kSlotBytes) / 4, kBrk);
  std::copy(s.words.begin(), s.words.end(), code);
}

/// What runs right now, for the message when one of our tiers aborts.
const Sequence* current_sequence = nullptr;

void explain_abort(int) {
  if (current_sequence)
    for (std::size_t i = 0; i < current_sequence->words.size(); ++i) {
      const u32 word = current_sequence->words[i];
      fmt::print(stderr, "  {:08x}  {}\n", word, arm::disassemble(arm::a64_table().find(word), word, 0));
    }
  signal(SIGABRT, SIG_DFL);
}

bool is_kept(const Sequence& s, std::size_t index) {
  return std::find(s.kept.begin(), s.kept.end(), index) != s.kept.end();
}

bool is_wild(const Outcome& outcome) {
  return outcome.end == End::Fault && outcome.fault_address - (kDataBase - kWild) > 2 * kWild;
}

/// The whole sequence; where it goes on behind faults, each of them once.
Outcome run_on(Runner& runner, const Sequence& s, CpuState& state, Data& data) {
  Outcome outcome = runner.run(state, data, s.end());
  if (!s.goes_on) return outcome;
  std::vector<Outcome::Fault> faults;
  bool tagged = outcome.tagged;
  while (outcome.end == End::Fault && !is_wild(outcome) && state.pc - s.pc < s.end() - s.pc &&
         faults.size() < kMaxFaults) {
    // Our interpreter names the access, the host the first byte that is not there.
    const bool crosses = outcome.fault_address - kDataBase < kDataBytes;
    faults.push_back({state.pc, crosses ? kDataBase + kDataBytes : outcome.fault_address});
    state.pc += 4;
    outcome = runner.run(state, data, s.end());
    tagged |= outcome.tagged;
  }
  outcome.faults = std::move(faults);
  outcome.tagged = tagged;
  return outcome;
}

std::string describe(const std::vector<Outcome::Fault>& faults) {
  std::string out;
  for (const Outcome::Fault& f : faults) out += fmt::format("{}{:x}->{:x}", out.empty() ? "" : ",", f.pc, f.address);
  return "[" + out + "]";
}

/// One execution by everybody.
struct Trial {
  Outcome reference_outcome, outcome;
  CpuState reference, ours;
  std::vector<std::string> differences;
  const Runner* judge = nullptr;   // whose result `reference` is
  const Runner* runner = nullptr;  // the first of ours that disagrees
};

class Differential {
 public:
  explicit Differential(const Options& options)
      : options_(options),
        generator_(options.loops ? std::make_unique<LoopGenerator>(options.seed)
                                 : std::make_unique<Generator>(options.seed, options.only)),
        reference_(make_unicorn_runner()) {
    ours_.push_back(make_interp_runner(false));
    ours_.push_back(make_interp_runner(true));
    fast_from_ = ours_.size();
    for (auto& runner : make_fast_runners(options.loops, options.host_level)) ours_.push_back(std::move(runner));
    if (options.llvm)
      for (auto& runner : make_llvm_runners(options.loops, options.host_level)) ours_.push_back(std::move(runner));
  }
  int run();

 private:
  Trial execute(const Sequence& s, const CpuState& start, const Data& data);
  void report(const Sequence& s, const CpuState& start, const Data& data, const Trial& first);
  Sequence reduced(Sequence s, CpuState& start, const Data& data);
  bool is_fast(const Runner* runner) const;
  bool rounds_up_to_normal(const Sequence& s, CpuState state, Data data);
  void forget_code();
  void begin_anew();
  u64 next_slot();

  Options options_;
  std::unique_ptr<Generator> generator_;
  std::unique_ptr<Runner> reference_;
  std::vector<std::unique_ptr<Runner>> ours_;
  std::size_t fast_from_ = 0;  // ours_[fast_from_...] are fast tiers
  std::unique_ptr<Runner> stepper_ = make_stepper();
  u64 slot_ = 0;
  u64 runs_ = 0, insns_ = 0, faults_ = 0, gaps_ = 0, reports_ = 0, failures_ = 0, tininess_ = 0, tagged_ = 0;
  std::map<std::string, u64> failures_by_row_;
};

Trial Differential::execute(const Sequence& s, const CpuState& start, const Data& data) {
  Trial t;
  t.reference = start;
  Data reference_data = data;
  const Runner* reference = s.reference_is_wrong ? ours_.front().get() : reference_.get();
  if (s.reference_is_wrong)
    t.reference_outcome = run_on(*ours_.front(), s, t.reference, reference_data);
  else
    t.reference_outcome = reference_->run(t.reference, reference_data, s.end());
  for (const auto& runner : ours_) {
    if (runner.get() == reference) continue;
    CpuState state = start;
    Data our_data = data;
    Outcome outcome = run_on(*runner, s, state, our_data);
    // The engine's tiers reach all of this process's memory: a wild access that faults in the regions of the test must
    // not be made there.
    if (is_wild(outcome)) break;
    const bool faulted = outcome.end == End::Fault || !outcome.faults.empty();
    const bool reference_faulted = t.reference_outcome.end == End::Fault;
    if (reference == reference_.get() &&
        (reference_faulted ? faulted || outcome.tagged : outcome.tagged && outcome.end == t.reference_outcome.end)) {
      // Unicorn takes no tags, and does not say precisely where it faulted: our tiers are compared with each other.
      tagged_ += outcome.tagged && reference_faulted;
      reference = runner.get();
      t.reference = state;
      t.reference_outcome = std::move(outcome);
      reference_data = our_data;
      continue;
    }
    const bool same_end = outcome.end == t.reference_outcome.end && outcome.faults == t.reference_outcome.faults;
    std::vector<std::string> differ = differences(t.reference, reference_data, state, our_data);
    if (outcome.faults != t.reference_outcome.faults)
      differ.push_back("faults " + describe(t.reference_outcome.faults) + " and " + describe(outcome.faults));
    if (same_end && differ.empty()) continue;
    if (same_end && differ.size() == 1 && (t.reference.fpsr & ~state.fpsr) == kUnderflow &&
        (state.fpsr & ~t.reference.fpsr) == 0 && is_fast(runner.get()) && rounds_up_to_normal(s, start, data)) {
      ++tininess_;
      continue;
    }
    t.outcome = std::move(outcome);
    t.ours = state;
    t.differences = std::move(differ);
    t.runner = runner.get();
    break;
  }
  t.judge = reference;
  return t;
}

/// x86 detects tininess after rounding, Arm before (docs/fast-tier-vectors.md, "Cumulative exceptions"): only an insn
/// whose result is a least normal number can have raised Underflow on Arm alone. True if all that raised it did so.
bool Differential::rounds_up_to_normal(const Sequence& s, CpuState state, Data data) {
  for (int steps = 0; state.pc != s.end() && steps < kMaxSteps; ++steps) {
    state.fpsr &= ~kUnderflow;
    const u64 index = (state.pc - s.pc) / 4;
    if (stepper_->run(state, data, s.end()).end != End::Done) return true;
    if ((state.fpsr & kUnderflow) == 0) continue;
    if (index >= s.words.size() || !test::has_least_normal(state.v[s.words[index] & 31])) return false;  // Rd
  }
  return true;
}

bool Differential::is_fast(const Runner* runner) const {
  return std::find_if(ours_.begin() + static_cast<std::ptrdiff_t>(fast_from_), ours_.end(),
                      [runner](const auto& r) { return r.get() == runner; }) != ours_.end();
}

void Differential::forget_code() {
  reference_->forget_code();
  stepper_->forget_code();
  for (const auto& runner : ours_) runner->forget_code();
}

/// So that a program's regions do not depend on the programs before, but on chance.
void Differential::begin_anew() {
  for (const auto& runner : ours_) {
    runner->set_seed(static_cast<u32>(options_.seed * 7919 + slot_));
    runner->forget_code();
  }
}

u64 Differential::next_slot() {
  const u64 bytes = options_.loops ? kLoopSlotBytes : kSlotBytes;
  if (slot_ == kCodeBytes / bytes) {
    forget_code();
    slot_ = 0;
  }
  return kCodeBase + bytes * slot_++;
}

/// Replaces instructions by NOP, in chunks and then one by one, as long as somebody still disagrees.
Sequence Differential::reduced(Sequence s, CpuState& start, const Data& data) {
  const auto still_fails = [&] {
    install(s);
    forget_code();
    return execute(s, start, data).runner != nullptr;
  };
  for (const std::size_t chunk : {64, 16, 4, 1}) {
    for (std::size_t end = s.words.size(); end > 0; end -= std::min(chunk, end)) {
      const std::vector<u32> words = s.words;
      for (std::size_t i = end - std::min(chunk, end); i < end; ++i)
        if (!is_kept(s, i)) s.words[i] = kNop;
      if (s.words != words && !still_fails()) s.words = words;
    }
  }
  while (s.goes_on && start.x[kTurnsRegister] > 1) {
    const u64 turns = std::exchange(start.x[kTurnsRegister], start.x[kTurnsRegister] / 2);
    if (still_fails()) continue;
    start.x[kTurnsRegister] = turns;
    break;
  }
  install(s);
  forget_code();
  return s;
}

void Differential::report(const Sequence& s, const CpuState& start, const Data& data, const Trial& first) {
  ++failures_;
  CpuState from = start;
  const Sequence small = reduced(s, from, data);
  const Trial t = execute(small, from, data);
  std::string rows;
  for (std::size_t i = 0; i < small.words.size(); ++i) {
    if (small.words[i] == kNop || is_kept(small, i)) continue;
    const arm::Row* row = arm::a64_table().find(small.words[i]);
    if (!rows.empty()) rows += " + ";
    rows += row ? std::string(row->manual) : "?";
  }
  if (failures_by_row_[rows]++ >= 1 || reports_ >= options_.max_reports) return;
  ++reports_;
  fmt::print("== {}: seed {}, run {}\n", rows, options_.seed, runs_);
  if (!t.runner) {
    fmt::print("not with newly translated code; at first {} disagreed with {}: ends {} {}, reference {} {}\n",
               first.runner->name(), first.judge->name(), name(first.outcome.end), first.outcome.note,
               name(first.reference_outcome.end), first.reference_outcome.note);
    for (const std::string& d : first.differences) fmt::print("  {}\n", d);
    return;
  }
  fmt::print("{} disagrees with {}: ends {} {}, reference {} {}\n", t.runner->name(),
             t.reference_outcome.end == End::Fault ? "interp" : reference_->name(), name(t.outcome.end), t.outcome.note,
             name(t.reference_outcome.end), t.reference_outcome.note);
  for (std::size_t i = 0; i < small.words.size(); ++i)
    if (small.words[i] != kNop)
      fmt::print("  {:x}: {:08x}  {}\n", small.pc + 4 * i, small.words[i],
                 arm::disassemble(arm::a64_table().find(small.words[i]), small.words[i], small.pc + 4 * i));
  fmt::print("         reference         ours\n");
  for (const std::string& d : t.differences) fmt::print("  {}\n", d);
  fmt::print("start: nzcv {:08x} fpcr {:08x} fpsr {:08x} sp {:x}\n", from.nzcv, from.fpcr, from.fpsr, from.sp);
  for (int i = 0; i < 31; i += 4) {
    for (int j = i; j < std::min(i + 4, 31); ++j) fmt::print("  x{:<2} {:016x}", j, from.x[j]);
    fmt::print("\n");
  }
  for (int i = 0; i < 32; i += 2)
    fmt::print("  v{:<2} {:016x}_{:016x}  v{:<2} {:016x}_{:016x}\n", i, from.v[i].hi, from.v[i].lo, i + 1,
               from.v[i + 1].hi, from.v[i + 1].lo);
  if (!small.goes_on) fmt::print("{}\n", describe_block(small.pc, from.fpcr));
  std::fflush(stdout);
}

int Differential::run() {
  using Clock = std::chrono::steady_clock;
  const auto started = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - started).count(); };
  Data data;
  while (runs_ < options_.count && (options_.seconds == 0 || elapsed() < options_.seconds)) {
    const Sequence s = generator_->sequence(next_slot(), options_.max_insns);
    install(s);
    if (options_.loops) begin_anew();
    current_sequence = &s;
    for (u64 i = 0; i < options_.states; ++i) {
      const CpuState start = generator_->state(s);
      generator_->fill(data, i == 0);
      const Trial t = execute(s, start, data);
      ++runs_;
      insns_ += s.words.size();
      faults_ += t.reference_outcome.end == End::Fault || !t.reference_outcome.faults.empty();
      if (t.runner && t.outcome.end == End::Unimplemented) {
        ++gaps_;
        break;
      }
      if (t.runner) {
        report(s, start, data, t);
        break;
      }
    }
  }
  u64 regions = 0, interrupts = 0;
  for (const auto& runner : ours_) regions += runner->regions(), interrupts += runner->interrupts();
  for (const auto& [rows, n] : failures_by_row_) fmt::print("{:>7} x {}\n", n, rows);
  fmt::print(
      "{} rows, {} sequences run, {} instructions, {} faults, {} gaps, {} disagreements ({} more in "
      "Underflow alone, {} with tagged addresses between our tiers), {:.1f} s, {:.0f} runs/s; {} executions of an "
      "instruction by {} runners; {} regions, {} interrupts\n",
      generator_->row_count(), runs_, insns_, faults_, gaps_, failures_, tininess_, tagged_, elapsed(),
      runs_ / elapsed(), insns_ * (ours_.size() + 1), ours_.size() + 1, regions, interrupts);
  if (options_.llvm && regions == 0) fmt::print("the optimising tier took no part\n");
  return failures_ || (options_.llvm && regions == 0) ? 1 : 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Random A64 sequences on Unicorn and on our tiers"};
  app.add_option("--seed", options.seed);
  app.add_option("--count", options.count, "runs: sequences times states");
  app.add_option("--states", options.states, "random states per sequence");
  app.add_option("--max-insns", options.max_insns)->check(CLI::Range(1, 8));
  app.add_option("--max-reports", options.max_reports, "disagreements to print in full");
  app.add_option("--time", options.seconds, "stop after so many seconds");
  app.add_option("--only-row", options.only, "regular expression on a row's text and heading");
  app.add_option("--host-level", options.host_level, "as of tiercel run");
  app.add_flag("--loops", options.loops, "programs of several blocks with loops; --max-insns: so many blocks");
  app.add_flag("--llvm", options.llvm, "on the optimising tier as well; a sequence takes it some milliseconds");
  CLI11_PARSE(app, argc, argv);

  for (const auto& [base, size] : {std::pair{kCodeBase, kCodeBytes}, std::pair{kDataBase, kDataBytes}})
    if (mmap(reinterpret_cast<void*>(base), size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED) {
      fmt::print(stderr, "cannot map {:#x}\n", base);
      return 1;
    }
  signal(SIGABRT, explain_abort);
  return Differential(options).run();
}

}  // namespace
}  // namespace tiercel::test

int main(int argc, char** argv) {
  return tiercel::test::run(argc, argv);
}
