// The translator's parts over the text of a real program: time per guest instruction for decoding into IR, for the
// passes, for emission, and for all three.
#include <benchmark/benchmark.h>

#include "backend/backend.h"
#include "bench/micro/corpus.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/passes/pass.h"

namespace tiercel::bench {
namespace {

// The containers kernel: libstdc++, libc and a little of everything.
constexpr const char* kProgram = BENCH_KERNELS "/stl";

/// Calls `visit(key)` for every block from the start of the text to its end, as if control fell through. Returns the
/// number of guest insns.
template <typename Visit>
u64 for_each_block(const Corpus& corpus, Visit visit) {
  u64 insns = 0;
  for (u64 pc = corpus.start(); pc < corpus.end();) {
    const ir::Function& f = visit(guest::BlockKey{.pc = pc});
    insns += (f.end_pc - pc) / 4;
    pc = f.end_pc;
  }
  return insns;
}

/// Translation with everything an engine would share between blocks.
struct Pipeline {
  Corpus corpus{kProgram};
  std::unique_ptr<guest::Frontend> frontend = arm::make_a64_frontend();
  std::unique_ptr<backend::Backend> backend;
  ir::Function function;
  backend::CompiledCode code;

  Pipeline() {
    const guest::Layout& layout = frontend->layout();
    backend::VmLayout vm;
    vm.slots = layout.slots;
    vm.state_size = layout.state_size;
    vm.pc_offset = layout.pc_offset;
    backend = backend::make_x64_backend(vm, backend::HostFeatures::detect());
  }

  void decode(const guest::BlockKey& key) { frontend->translate(key, corpus, {}, function); }
  void optimise() {
    const ir::PassContext context{frontend->layout().slots};
    for (const ir::Pass& pass : ir::fast_tier_passes()) pass.run(function, context);
  }
  void emit() { backend->compile(function, false, code); }

  /// Every block of the corpus, decoded and if asked for optimised.
  std::vector<ir::Function> all(bool optimised, u64& insns) {
    std::vector<ir::Function> out;
    insns = for_each_block(corpus, [&](const guest::BlockKey& key) -> const ir::Function& {
      decode(key);
      if (optimised) optimise();
      return out.emplace_back(function);
    });
    return out;
  }
};

void report(benchmark::State& state, u64 insns) {
  state.counters["insns"] = static_cast<double>(insns);
  state.counters["s/insn"] = benchmark::Counter(static_cast<double>(insns) * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode(benchmark::State& state) {
  Pipeline p;
  u64 insns = 0;
  for (auto _ : state)
    insns = for_each_block(p.corpus, [&](const guest::BlockKey& key) -> const ir::Function& {
      p.decode(key);
      return p.function;
    });
  report(state, insns);
}

void passes(benchmark::State& state) {
  Pipeline p;
  u64 insns = 0;
  const std::vector<ir::Function> blocks = p.all(false, insns);
  for (auto _ : state) {
    for (const ir::Function& f : blocks) {
      p.function = f;  // a copy of some hundred bytes, counted along
      p.optimise();
    }
  }
  report(state, insns);
}

void emission(benchmark::State& state) {
  Pipeline p;
  u64 insns = 0;
  const std::vector<ir::Function> blocks = p.all(true, insns);
  u64 bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const ir::Function& f : blocks) {
      p.backend->compile(f, false, p.code);
      bytes += p.code.code.size();
    }
  }
  report(state, insns);
  state.counters["bytes/insn"] = static_cast<double>(bytes) / static_cast<double>(insns);
}

void everything(benchmark::State& state) {
  Pipeline p;
  u64 insns = 0;
  for (auto _ : state)
    insns = for_each_block(p.corpus, [&](const guest::BlockKey& key) -> const ir::Function& {
      p.decode(key);
      p.optimise();
      p.emit();
      return p.function;
    });
  report(state, insns);
}

BENCHMARK(decode)->Unit(benchmark::kMillisecond);
BENCHMARK(passes)->Unit(benchmark::kMillisecond);
BENCHMARK(emission)->Unit(benchmark::kMillisecond);
BENCHMARK(everything)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tiercel::bench
