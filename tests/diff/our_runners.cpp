#include "tests/diff/our_runners.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/time.h>
#include <xmmintrin.h>

#include <cstring>
#include <optional>
#include <random>
#include <unordered_map>
#include <utility>

#include "backend/interp/interp.h"
#include "engine/engine.h"
#include "frontend-arm/a64_frontend.h"
#include "frontend-arm/state.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/verifier.h"
#ifdef TIERCEL_TEST_REGIONS
#include "tests/support/local_regions.h"
#endif

namespace tiercel::test {
namespace {

/// The code and data regions, nothing else.
class RegionMemory final : public backend::InterpMemory, public guest::CodeReader {
 public:
  explicit RegionMemory(const guest::Frontend& frontend) : frontend_(frontend) {}
  void use(Data& data) {
    data_ = data.data();
    tagged_ = false;
  }
  bool tagged() const { return tagged_; }

  bool load(u64 address, ir::MemAttr attr, U128& out) override {
    const u8* p = at(address, attr.bytes(), false);
    if (!p) return false;
    out = {};
    std::memcpy(&out, p, attr.bytes());
    return true;
  }
  bool store(u64 address, ir::MemAttr attr, const U128& value) override {
    u8* p = at(address, attr.bytes(), true);
    if (p) std::memcpy(p, &value, attr.bytes());
    return p != nullptr;
  }
  bool cas(u64 address, ir::MemAttr attr, U128& expected, const U128& desired) override {
    u8* p = at(address, attr.bytes(), true);
    if (!p) return false;
    U128 old;
    std::memcpy(&old, p, attr.bytes());
    if (std::memcmp(&old, &expected, attr.bytes()) == 0) std::memcpy(p, &desired, attr.bytes());
    expected = old;
    return true;
  }
  std::span<const u8> window(VAddr pc) override {
    if (pc.value < kCodeBase || pc.value >= kCodeBase + kCodeBytes) return {};
    return {reinterpret_cast<const u8*>(pc.value), kPageSize - pc.value % kPageSize};
  }

 private:
  u8* at(u64 address, unsigned bytes, bool write) {
    const u64 with_tag = address;
    address = frontend_.data_address(address);
    tagged_ |= address != with_tag;
    if (address >= kDataBase && address - kDataBase <= kDataBytes - bytes) return data_ + (address - kDataBase);
    if (!write && address >= kCodeBase && address - kCodeBase <= kCodeBytes - bytes)
      return reinterpret_cast<u8*>(address);
    return nullptr;
  }

  const guest::Frontend& frontend_;
  u8* data_ = nullptr;
  bool tagged_ = false;
};

/// VmContext with the guest's state block behind it.
struct Context {
  backend::VmContext vm;
  alignas(64) arm::A64State state;
};
static_assert(offsetof(Context, state) == backend::kStateOffset);

u32 mxcsr_from(u32 fpsr, ir::Round rounding) {
  constexpr u32 kModes[] = {0, 2, 1, 3};  // TieEven, PosInf, NegInf, Zero
  u32 m = 0x1f80 | kModes[static_cast<u32>(rounding)] << 13;
  m |= (fpsr & 1) | (fpsr >> 1 & 1) << 2 | (fpsr >> 2 & 1) << 3 | (fpsr >> 3 & 1) << 4 | (fpsr >> 4 & 1) << 5;
  return m;
}
u32 fpsr_from(u32 mxcsr) {
  return (mxcsr & 1) | (mxcsr >> 2 & 1) << 1 | (mxcsr >> 3 & 1) << 2 | (mxcsr >> 4 & 1) << 3 | (mxcsr >> 5 & 1) << 4;
}

void load_state(arm::A64State& s, const CpuState& from) {
  s = {};
  std::memcpy(s.x, from.x, sizeof s.x);
  s.sp = from.sp;
  s.pc = from.pc;
  s.flags = ir::flags_from_nzcv(from.nzcv >> 28);
  s.fpcr = from.fpcr;
  s.tpidr = from.tpidr;
  s.qc = {from.fpsr >> 27 & 1, 0};
  std::memcpy(s.v, from.v, sizeof s.v);
}
void store_state(const arm::A64State& s, CpuState& to) {
  std::memcpy(to.x, s.x, sizeof s.x);
  to.sp = s.sp;
  to.pc = s.pc;
  to.nzcv = ir::nzcv_from_flags(s.flags) << 28;
  to.fpcr = s.fpcr;
  to.tpidr = s.tpidr;
  to.fpsr = (s.qc.lo | s.qc.hi) ? 1u << 27 : 0;
  std::memcpy(to.v, s.v, sizeof s.v);
}

class InterpRunner final : public Runner {
 public:
  enum class Kind : u8 { Plain, Passes, OneInsn };
  explicit InterpRunner(Kind kind) : kind_(kind) {
    context_.vm.fp_env = &env_;
    env_.extra = &context_.vm.fp_extra;
  }
  const char* name() const override { return kind_ == Kind::Passes ? "interp with passes" : "interp"; }
  void forget_code() override { blocks_.clear(); }

  Outcome run(CpuState& state, Data& data, u64 end) override {
    memory_.use(data);
    arm::A64State& s = context_.state;
    load_state(s, state);
    context_.vm.fp_extra = state.fpsr & 0x80 ? ir::fpstatus::kInputDenormal : 0;
    const u32 host = _mm_getcsr();
    u32 sticky = state.fpsr;
    Outcome outcome;
    for (int steps = 0; s.pc != end; ++steps) {
      if (kind_ == Kind::OneInsn && steps == 1) break;
      if (steps == kMaxSteps) {
        outcome = {End::Failed, 0, "no end"};
        break;
      }
      const ir::Function* f = block(frontend_->key(&s));
      if (!f) {
        outcome = {End::Fault, s.pc, ""};
        break;
      }
      _mm_setcsr(mxcsr_from(sticky, frontend_->fp_control(&s).rounding));
      const backend::InterpResult r = backend::interpret(*f, frontend_->layout().slots, context_.vm, memory_);
      sticky = fpsr_from(_mm_getcsr());
      _mm_setcsr(host);
      s.pc = context_.vm.exit_pc;
      if (r.reason == backend::Reason::Misaligned) {
        outcome = {End::Fault, frontend_->data_address(context_.vm.exit_arg), ""};
        break;
      }
      if (!acceptable(r, outcome)) break;
    }
    store_state(s, state);
    state.fpsr |= sticky | (context_.vm.fp_extra & ir::fpstatus::kInputDenormal ? 0x80 : 0);
    state.fpsr &= kFpsrBits;
    outcome.tagged = memory_.tagged();
    return outcome;
  }

 private:
  /// False when the run is over.
  static bool acceptable(const backend::InterpResult& r, Outcome& outcome) {
    using backend::Reason;
    if (r.reason == Reason::None || r.reason == backend::reason_for(ir::ExitKind::ModeChange) ||
        r.reason == backend::reason_for(ir::ExitKind::InvalidateCode))
      return true;
    if (r.reason == backend::reason_for(ir::ExitKind::Breakpoint)) return false;  // the end of the sequence
    if (r.reason == Reason::Fault)
      outcome = {End::Fault, r.fault_address, ""};
    else if (r.reason == backend::reason_for(ir::ExitKind::Unimplemented))
      outcome = {End::Unimplemented, 0, ""};
    else if (r.reason == backend::reason_for(ir::ExitKind::Undefined))
      outcome = {End::Undefined, 0, ""};
    else
      outcome = {End::Failed, 0, fmt::format("reason {}", static_cast<u32>(r.reason))};
    return false;
  }

  /// Null: nothing executable is there. A translation that failed leaves half a function, which must not be kept.
  const ir::Function* block(const guest::BlockKey& key) {
    if (const auto known = blocks_.find(key); known != blocks_.end()) return &known->second;
    ir::Function f;
    if (!frontend_->translate(key, memory_, limits_, f)) return nullptr;
    ir::verify_or_die(f, frontend_->layout().slots, "after translation");
    if (kind_ == Kind::Passes) {
      for (const ir::Pass& p : ir::fast_tier_passes()) {
        p.run(f, {frontend_->layout().slots});
        ir::verify_or_die(f, frontend_->layout().slots, std::string(p.name).c_str());
      }
    }
    return &blocks_.emplace(key, std::move(f)).first->second;
  }

  static constexpr int kMaxSteps = 500'000;
  const Kind kind_;
  const guest::TranslateLimits limits_ =
      kind_ == Kind::OneInsn ? guest::TranslateLimits{.max_insns = 1} : guest::TranslateLimits{};
  std::unique_ptr<guest::Frontend> frontend_ = arm::make_a64_frontend();
  RegionMemory memory_{*frontend_};
  std::unordered_map<guest::BlockKey, ir::Function, guest::BlockKeyHash> blocks_;
  Context context_;
  ir::FpEnv env_;
};

}  // namespace

std::unique_ptr<Runner> make_interp_runner(bool passes) {
  return std::make_unique<InterpRunner>(passes ? InterpRunner::Kind::Passes : InterpRunner::Kind::Plain);
}

std::unique_ptr<Runner> make_stepper() {
  return std::make_unique<InterpRunner>(InterpRunner::Kind::OneInsn);
}

namespace {

/// The code region as an engine sees it; data is reached directly, guest addresses being host addresses.
class RegionSpace final : public engine::AddressSpace {
 public:
  std::span<const u8> code_window(VAddr pc) override {
    if (pc.value < kCodeBase || pc.value >= kCodeBase + kCodeBytes) return {};
    return {reinterpret_cast<const u8*>(pc.value), kPageSize - pc.value % kPageSize};
  }
  u64 flat_base() const override { return 0; }
};

/// Makes what compiles regions, or is empty.
using MakeRegions = std::unique_ptr<engine::RegionService> (*)(const backend::VmLayout&, const backend::HostFeatures&);

/// Asks the vCPU of this thread to stop in a moment.
class Alarm {
 public:
  explicit Alarm(int microseconds) {
    struct sigaction action = {};
    action.sa_handler = [](int) {
      if (engine::Vcpu* vcpu = engine::Vcpu::current()) vcpu->request_exit();
    };
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, nullptr);
    set(microseconds);
  }
  ~Alarm() { set(0); }

 private:
  static void set(int microseconds) {
    const itimerval once = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &once, nullptr);
  }
};

class EngineRunner final : public Runner {
 public:
  EngineRunner(const char* name, const engine::Options& options, bool interrupted, MakeRegions make_regions = nullptr)
      : name_(name), options_(options), interrupted_(interrupted), make_regions_(make_regions) {
    begin();
  }
  const char* name() const override { return name_; }
  /// Heads of regions remember how often they were tried, so all begins anew then.
  void forget_code() override {
    if (!make_regions_) return engine_->invalidate(VAddr{kCodeBase}, kCodeBytes);
    past_regions_ = regions();
    begin();
  }
  void set_seed(u32 seed) override {
    if (options_.chaos_seed != 0) options_.chaos_seed = seed;
  }
  u64 interrupts() const override { return interrupts_; }
  u64 regions() const override { return past_regions_ + engine_->statistics().regions.regions; }

  Outcome run(CpuState& state, Data& data, u64 end) override {
    using Kind = engine::Stop::Kind;
    std::memcpy(reinterpret_cast<void*>(kDataBase), data.data(), kDataBytes);
    auto& s = *static_cast<arm::A64State*>(vcpu_->state());
    load_state(s, state);
    vcpu_->set_fp_status((state.fpsr & 0x1f) | (state.fpsr & 0x80 ? ir::fpstatus::kInputDenormal : 0));
    // The BRK would keep the block that ends in it out of any region.
    if (make_regions_ && std::exchange(end_, end) != end) engine_->set_breakpoints({end});
    const engine::Stop stop = run_vcpu();
    store_state(s, state);
    const u32 status = vcpu_->fp_status();
    state.fpsr |= (status & 0x1f) | (status & ir::fpstatus::kInputDenormal ? 0x80 : 0);
    std::memcpy(data.data(), reinterpret_cast<const void*>(kDataBase), kDataBytes);
    switch (stop.kind) {
      case Kind::Breakpoint:
      case Kind::DebugBreak:
        return s.pc == end ? Outcome{} : Outcome{End::Failed, 0, "stopped early"};
      case Kind::Fault:
        return {End::Fault, stop.fault.address.value, ""};
      case Kind::Unimplemented:
        return {End::Unimplemented, 0, ""};
      case Kind::Undefined:
        return {End::Undefined, 0, ""};
      default:
        return {End::Failed, 0, fmt::format("stop {}", static_cast<u32>(stop.kind))};
    }
  }

 private:
  engine::Stop run_vcpu() {
    for (unsigned alarms = 0;; ++interrupts_) {
      std::optional<Alarm> alarm;
      if (interrupted_ && ++alarms <= kAlarms) alarm.emplace(1 + chance_() % kMicroseconds);
      const engine::Stop stop = vcpu_->run();
      alarm.reset();
      vcpu_->clear_exit_request();
      if (stop.kind != engine::Stop::Kind::Interrupt) return stop;
    }
  }

  void begin() {
    vcpu_.reset();
    std::unique_ptr<engine::RegionService> regions;
    if (make_regions_)
      regions = make_regions_(engine::vm_layout(*frontend_, space_, options_), engine::host_features(options_));
    engine_ = std::make_unique<engine::Engine>(*frontend_, space_, options_, std::move(regions));
    vcpu_ = engine_->make_vcpu();
    end_ = 0;
  }

  static constexpr unsigned kAlarms = 3, kMicroseconds = 100;  // per run
  const char* name_;
  std::minstd_rand chance_;
  std::unique_ptr<guest::Frontend> frontend_ = arm::make_a64_frontend();
  RegionSpace space_;
  engine::Options options_;
  const bool interrupted_;
  const MakeRegions make_regions_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Vcpu> vcpu_;
  u64 end_ = 0;
  u64 past_regions_ = 0, interrupts_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Runner>> make_fast_runners(bool loops, u32 host_level) {
  engine::Engine::catch_host_faults();
  std::vector<std::unique_ptr<Runner>> runners;
  engine::Options plain;
  plain.host_level = host_level;
  plain.code_cache_bytes = 32 << 20;
  runners.push_back(std::make_unique<EngineRunner>("fast", plain, loops));
  engine::Options chaos = plain;
  chaos.chaos_seed = 7;
  chaos.code_cache_bytes = 1 << 20;
  runners.push_back(std::make_unique<EngineRunner>("fast with chaos", chaos, loops));
  return runners;
}

std::vector<std::unique_ptr<Runner>> make_llvm_runners([[maybe_unused]] bool loops, [[maybe_unused]] u32 host_level) {
  std::vector<std::unique_ptr<Runner>> runners;
#ifdef TIERCEL_TEST_REGIONS
  engine::Options plain;
  plain.tier = engine::Tier::Llvm;
  plain.host_level = host_level;
  plain.hot = 1;
  plain.code_cache_bytes = 32 << 20;
  runners.push_back(std::make_unique<EngineRunner>("llvm", plain, loops, make_local_regions));
  engine::Options chaos = plain;
  chaos.chaos_seed = 7;
  chaos.max_block_insns = 4;
  runners.push_back(std::make_unique<EngineRunner>("llvm with chaos", chaos, loops, make_local_regions));
  if (!loops) return runners;
  engine::Options surveyed = plain;
  surveyed.hot = 3;
  runners.push_back(std::make_unique<EngineRunner>("llvm with surveys", surveyed, loops, make_local_regions));
  surveyed.chaos_seed = 7;
  surveyed.max_block_insns = 16;
  runners.push_back(std::make_unique<EngineRunner>("llvm with surveys and chaos", surveyed, loops, make_local_regions));
#endif
  return runners;
}

std::string describe_block(u64 pc, u32 fpcr) {
  const auto frontend = arm::make_a64_frontend();
  RegionMemory memory(*frontend);
  arm::A64State state;
  state.pc = pc;
  state.fpcr = fpcr;
  ir::Function f;
  if (!frontend->translate(frontend->key(&state), memory, {}, f)) return "not executable\n";
  std::string out = "IR:\n" + ir::print(f, frontend->layout().slots);
  for (const ir::Pass& p : ir::fast_tier_passes()) p.run(f, {frontend->layout().slots});
  return out + "IR after the passes:\n" + ir::print(f, frontend->layout().slots);
}

}  // namespace tiercel::test
