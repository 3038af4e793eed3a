#include "tests/llvm/harness.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "backend/interp/interp.h"
#include "base/bits.h"
#include "base/check.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/printer.h"
#include "tests/support/flat_memory.h"
#include "tests/support/fp_trap.h"
#include "tests/support/underflow.h"

namespace tiercel::test {
namespace {

constexpr std::size_t kCodeSize = 4 << 20;
constexpr u64 kGuard = 1 << 20;

/// Whose fault is looked up, and by whom, as the engine's fault handler does it.
backend::VmContext* running;
const backend::Backend* fast_tier;

void on_fault(int, siginfo_t*, void* ucontext) {
  if (running == nullptr || !fast_tier->leave_region(ucontext, *running)) signal(SIGSEGV, SIG_DFL);
}

u8* host_memory() {
  return reinterpret_cast<u8*>(RegionTester::kMemory);
}

const guest::Layout& layout() {
  static const auto frontend = arm::make_a64_frontend();
  return frontend->layout();
}

/// Is some lane the least normal number?
bool has_least_normal(const arm::A64State& s) {
  return std::any_of(std::begin(s.v), std::end(s.v), [](const U128& v) { return test::has_least_normal(v); });
}

/// The exit that the fast tier's runtime says it took.
backend::RegionExit taken_exit(const backend::VmContext& c) {
  using Kind = backend::RegionExit::Kind;
  switch (c.reason) {
    case backend::Reason::LinkMiss:
      return {Kind::Direct, c.exit_pc};
    case backend::Reason::IndirectMiss:
      return {Kind::Indirect, 0};
    case backend::Reason::Interrupt:
      return {Kind::Interrupt, c.exit_pc};
    default:
      CHECK(c.reason == backend::Reason::RegionFault);
      return {Kind::Fault, c.exit_pc};
  }
}

u32 fp_status(const backend::VmContext& c) {
  return (c.mxcsr & 1) | (c.mxcsr >> 1 & 0x1e) | c.fp_extra;
}

}  // namespace

std::span<const ir::SlotInfo> a64_slots() {
  return layout().slots;
}

RegionVm::RegionVm() {
  const std::size_t bytes = (backend::kStateOffset + layout().state_size + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, bytes);
  CHECK(memory);
  std::memset(memory, 0, bytes);
  context_ = new (memory) backend::VmContext;
  fp_env_.extra = &context_->fp_extra;
  context_->eval = ir::eval_out_of_line;
  context_->fp_env = &fp_env_;
  context_->code_page = 0xffff'8123'4000;  // far from what pcs are
}

RegionVm::~RegionVm() {
  std::free(context_);
}

void RegionVm::copy_from(RegionVm& other) {
  std::memcpy(&state(), &other.state(), sizeof(arm::A64State));
  context_->mxcsr = other.context_->mxcsr;
  context_->fp_extra = other.context_->fp_extra;
  context_->exit_request = other.context_->exit_request;
  context_->exit_pc = other.context_->exit_pc;
}

RegionTester::RegionTester(const backend::HostFeatures& features, bool base_is_zero)
    : base_(base_is_zero ? 0 : kMemory - 0x10000), memory_start_(kMemorySize), memory_interpreted_(kMemorySize) {
  backend::VmLayout vm;
  vm.slots = layout().slots;
  vm.state_size = layout().state_size;
  vm.pc_offset = layout().pc_offset;
  vm.base_is_zero = base_is_zero;
  compiler_ = backend::make_llvm_compiler(vm, features);
  fast_tier_ = backend::make_x64_backend(vm, features);
  runtime_ = fast_tier_->make_runtime();
  host_code_ = static_cast<u8*>(
      mmap(nullptr, kCodeSize, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(host_code_ != MAP_FAILED);
  std::memcpy(host_code_, runtime_.code.data(), runtime_.code.size());
  region_at_ = host_code_ + align_up(runtime_.code.size(), u64{64});
  mmap(host_memory() - kGuard, kMemorySize + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(host_memory(), kMemorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  backend::VmContext& c = compiled_.context();
  c.memory_base = base_;
  c.jump_cache = misses_.data();
  c.common_exit = host_code_ + runtime_.common_exit;
  c.indirect_miss = host_code_ + runtime_.indirect;
  for (u32 i = 0; i < backend::kStubCount; ++i) c.stubs[i] = host_code_ + runtime_.stubs[i];
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
}

RegionTester::~RegionTester() {
  munmap(host_code_, kCodeSize);
}

std::string RegionTester::compile(const ir::Region& region) {
  std::string why;
  if (!compiler_->compile(region, {}, code_, why)) return why.empty() ? "refused without a reason" : why;
  backend::CompiledCode wrapped;
  fast_tier_->wrap_region(code_, {.relative = region.blocks[0].relative}, wrapped);
  CHECK(region_at_ + wrapped.code.size() <= host_code_ + kCodeSize);
  std::memcpy(region_at_, wrapped.code.data(), wrapped.code.size());
  return {};
}

backend::RegionExit RegionTester::interpret(const ir::Region& region, u64 max_blocks, ir::FpRules& rules) {
  using Kind = backend::RegionExit::Kind;
  backend::VmContext& c = interpreted_.context();
  test::FlatMemory memory(memory_interpreted_, guest_memory());
  const auto follows = [&](const ir::Function& from, u64 to) {
    return std::any_of(region.edges.begin(), region.edges.end(),
                       [&](const ir::IndirectEdge& e) { return &region.blocks[e.from] == &from && e.to == to; });
  };
  const auto block_at = [&](u64 pc) -> const ir::Function* {
    for (const ir::Function& f : region.blocks)
      if (f.pc == pc) return &f;
    return nullptr;
  };
  const auto closing = ir::closing_edges(region);
  const u64 page = region.blocks[0].relative ? c.code_page : 0;  // that pcs are counted from
  const ir::Function* f = &region.blocks[0];
  const u32 host = _mm_getcsr();
  _mm_setcsr(c.mxcsr);
  backend::RegionExit exit;
  for (u64 n = 0;; ++n) {
    CHECK(n < max_blocks);
    rules = f->fp;
    const backend::InterpResult r = backend::interpret(*f, layout().slots, c, memory);
    if (r.reason == backend::Reason::Fault || r.reason == backend::Reason::Misaligned) {
      exit = {Kind::Fault, c.exit_pc};
      break;
    }
    const ir::Opcode last = f->insts.back().op;
    const bool indirect = last == ir::Opcode::JumpInd || last == ir::Opcode::CallInd || last == ir::Opcode::Ret;
    const u64 to = c.exit_pc - page;
    const bool known = !indirect || follows(*f, to);
    const ir::Function* next = known ? block_at(to) : nullptr;
    const auto index = static_cast<u32>(f - region.blocks.data());
    const bool checks = next != nullptr ? closing.contains({index, next->pc}) : static_cast<s64>(to - f->pc) <= 0;
    const bool interrupted = checks && c.exit_request != 0;
    if (next == nullptr) {
      exit = indirect ? backend::RegionExit{Kind::Indirect, 0} : backend::RegionExit{Kind::Direct, c.exit_pc};
      if (!indirect && interrupted) exit.kind = Kind::Interrupt;
      break;
    }
    if (interrupted) {
      exit = {Kind::Interrupt, page + next->pc};
      break;
    }
    f = next;
  }
  c.mxcsr = _mm_getcsr();
  _mm_setcsr(host);
  return exit;
}

void RegionTester::run_compiled(ir::FpRules rules) {
  using Enter = void (*)(backend::VmContext*, const void*);
  running = &compiled_.context();
  fast_tier = fast_tier_.get();
  const FpTrap trap(*fast_tier_, compiled_.context(), rules);
  reinterpret_cast<Enter>(reinterpret_cast<u64>(host_code_ + runtime_.enter))(&compiled_.context(), region_at_);
  running = nullptr;
  exit_ = taken_exit(compiled_.context());
}

std::string RegionTester::run(const ir::Region& region, u64 max_blocks) {
  interpreted_.copy_from(start_);
  compiled_.copy_from(start_);
  memory_interpreted_ = memory_start_;
  std::memcpy(host_memory(), memory_start_.data(), kMemorySize);
  ir::FpRules rules;
  const backend::RegionExit expected = interpret(region, max_blocks, rules);
  run_compiled(rules);
  return differences(region, expected, rules);
}

std::string RegionTester::differences(const ir::Region& region, const backend::RegionExit& expected,
                                      ir::FpRules rules) {
  std::string text;
  constexpr const char* kKinds[] = {"direct", "back", "interrupt", "indirect", "fault"};
  if (!(expected == exit_))
    text += fmt::format("  exit: {} {:#x}, not {} {:#x}\n", kKinds[static_cast<int>(exit_.kind)], exit_.pc,
                        kKinds[static_cast<int>(expected.kind)], expected.pc);
  if (expected.kind == backend::RegionExit::Kind::Indirect &&
      interpreted_.context().exit_pc != compiled_.context().exit_pc)
    text += fmt::format("  exit_pc: {:#x}, not {:#x}\n", compiled_.context().exit_pc, interpreted_.context().exit_pc);
  for (const ir::SlotInfo& slot : layout().slots) {
    U128 a, b;
    const std::size_t bytes = ir::type_bits(slot.type) / 8;
    std::memcpy(&a, reinterpret_cast<const u8*>(&interpreted_.state()) + slot.offset, bytes);
    std::memcpy(&b, reinterpret_cast<const u8*>(&compiled_.state()) + slot.offset, bytes);
    if (slot.type == ir::Type::Flags) a.lo = ir::nzcv_from_flags(a.lo), b.lo = ir::nzcv_from_flags(b.lo);
    if (!(a == b))
      text += fmt::format("  {}: {:016x}_{:016x}, not {:016x}_{:016x}\n", slot.name, b.hi, b.lo, a.hi, a.lo);
  }
  for (u64 i = 0; i < kMemorySize; i += 8)
    if (std::memcmp(host_memory() + i, memory_interpreted_.data() + i, 8) != 0)
      text += fmt::format("  memory at {:#x} differs\n", guest_memory() + i);
  const u32 status = fp_status(compiled_.context()), wanted = fp_status(interpreted_.context());
  const bool tiny = (status ^ wanted) == ir::fpstatus::kUnderflow && !rules.flush && underflow_excused(region);
  if (status != wanted && !tiny) text += fmt::format("  FP status: {:#x}, not {:#x}\n", status, wanted);
  if ((compiled_.context().mxcsr ^ start_.context().mxcsr) & ~0x3fu) text += "  MXCSR's control bits changed\n";
  return text;
}

/// A region of one block is looked at inst by inst; of others only what the state holds at the end.
bool RegionTester::underflow_excused(const ir::Region& region) {
  if (region.blocks.size() != 1) return has_least_normal(interpreted_.state());
  std::vector<u8> bytes = memory_start_;
  FlatMemory memory(bytes, guest_memory());
  return underflows_are_least_normals(region.blocks[0], memory,
                                      [&](const ir::Function& f, backend::InterpMemory& probe) {
                                        bytes = memory_start_;
                                        interpreted_.copy_from(start_);
                                        const u32 host = _mm_getcsr();
                                        _mm_setcsr(start_.context().mxcsr);
                                        backend::interpret(f, layout().slots, interpreted_.context(), probe);
                                        _mm_setcsr(host);
                                      });
}

std::string RegionTester::describe(const ir::Region& region) {
  std::string text;
  for (const ir::Function& f : region.blocks) text += ir::print(f, layout().slots);
  std::string why;
  backend::RegionCode code;
  backend::RegionRequest request;
  request.want_listing = true;
  compiler_->compile(region, request, code, why);
  return text + code.listing + why;
}

}  // namespace tiercel::test
