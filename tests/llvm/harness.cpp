#include "tests/llvm/harness.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdlib>
#include <cstring>

#include "backend/interp/interp.h"
#include "base/check.h"
#include "frontend-arm/a64_frontend.h"
#include "ir/printer.h"
#include "tests/support/flat_memory.h"

// u32 tiercel_test_call_region(const void* code, VmContext*): as the fast tier's runtime calls a region. Registers hold
// nonsense on entry, and the C ABI's callee-saved ones are lost.
asm(R"(
.text
.globl tiercel_test_call_region
tiercel_test_call_region:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  sub $24, %rsp
  stmxcsr (%rsp)
  mov %rsi, 8(%rsp)
  ldmxcsr 4(%rsi)
  mov %rsi, %r12
  mov %rdi, %rax
  mov $-1, %rbx
  mov $-1, %rbp
  mov $-1, %r13
  mov $-1, %rdi
  call *%rax
  mov 8(%rsp), %rsi
  stmxcsr 4(%rsi)
  ldmxcsr (%rsp)
  add $24, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
)");
extern "C" tiercel::u32 tiercel_test_call_region(const void* code, tiercel::backend::VmContext* context);

namespace tiercel::test {
namespace {

static_assert(offsetof(backend::VmContext, mxcsr) == 4);
constexpr std::size_t kCodeSize = 4 << 20;
constexpr u64 kGuard = 1 << 20;

/// What the fault handler needs; one region runs at a time.
const backend::RegionCode* running_code;
u64 running_at;

void on_fault(int, siginfo_t*, void* ucontext) {
  auto* context = static_cast<ucontext_t*>(ucontext);
  auto& rip = context->uc_mcontext.gregs[REG_RIP];
  if (running_code != nullptr)
    for (const backend::RegionFault& f : running_code->faults)
      if (running_at + f.host_offset == static_cast<u64>(rip)) {
        rip = static_cast<greg_t>(running_at + f.landing_offset);
        return;
      }
  signal(SIGSEGV, SIG_DFL);
}

u8* host_memory() {
  return reinterpret_cast<u8*>(RegionTester::kMemory);
}

const guest::Layout& layout() {
  static const auto frontend = arm::make_a64_frontend();
  return frontend->layout();
}

/// Is some lane the least normal number? Only there may Underflow differ: the host looks for tiny results after
/// rounding (docs/ir.md).
bool has_least_normal(const arm::A64State& s) {
  for (const U128& v : s.v)
    for (const u64 word : {v.lo, v.hi})
      if ((word & ~u64{0} >> 1) == 0x0010000000000000 || (word & 0x7fffffff) == 0x00800000 ||
          (word >> 32 & 0x7fffffff) == 0x00800000)
        return true;
  return false;
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
  host_code_ = static_cast<u8*>(
      mmap(nullptr, kCodeSize, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(host_code_ != MAP_FAILED);
  mmap(host_memory() - kGuard, kMemorySize + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(host_memory(), kMemorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  compiled_.context().memory_base = base_;
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
  CHECK(code_.code.size() <= kCodeSize);
  std::memcpy(host_code_, code_.code.data(), code_.code.size());
  return {};
}

backend::RegionExit RegionTester::interpret(const ir::Region& region, u64 max_blocks) {
  using Kind = backend::RegionExit::Kind;
  backend::VmContext& c = interpreted_.context();
  test::FlatMemory memory(memory_interpreted_, guest_memory());
  const auto block_at = [&](u64 pc) -> const ir::Function* {
    for (const ir::Function& f : region.blocks)
      if (f.pc == pc) return &f;
    return nullptr;
  };
  const ir::Function* f = &region.blocks[0];
  const u32 host = _mm_getcsr();
  _mm_setcsr(c.mxcsr);
  backend::RegionExit exit;
  for (u64 n = 0;; ++n) {
    CHECK(n < max_blocks);
    const backend::InterpResult r = backend::interpret(*f, layout().slots, c, memory);
    if (r.reason == backend::Reason::Fault || r.reason == backend::Reason::Misaligned) {
      exit = {Kind::Fault, c.exit_pc};
      break;
    }
    const ir::Opcode last = f->insts.back().op;
    const bool indirect = last == ir::Opcode::JumpInd || last == ir::Opcode::CallInd || last == ir::Opcode::Ret;
    const bool known = !indirect || std::count(region.targets.begin(), region.targets.end(), c.exit_pc) != 0;
    const ir::Function* next = known ? block_at(c.exit_pc) : nullptr;
    if (next == nullptr) {
      exit = indirect ? backend::RegionExit{Kind::Indirect, 0} : backend::RegionExit{Kind::Direct, c.exit_pc};
      break;
    }
    if (next->pc <= f->pc && c.exit_request != 0) {
      exit = {Kind::Interrupt, next->pc};
      break;
    }
    f = next;
  }
  c.mxcsr = _mm_getcsr();
  _mm_setcsr(host);
  return exit;
}

void RegionTester::run_compiled() {
  running_code = &code_;
  running_at = reinterpret_cast<u64>(host_code_);
  const u32 index = tiercel_test_call_region(host_code_ + code_.entry, &compiled_.context());
  running_code = nullptr;
  CHECK(index < code_.exits.size());
  exit_ = code_.exits[index];
}

std::string RegionTester::run(const ir::Region& region, u64 max_blocks) {
  interpreted_.copy_from(start_);
  compiled_.copy_from(start_);
  memory_interpreted_ = memory_start_;
  std::memcpy(host_memory(), memory_start_.data(), kMemorySize);
  const backend::RegionExit expected = interpret(region, max_blocks);
  run_compiled();
  return differences(expected);
}

std::string RegionTester::differences(const backend::RegionExit& expected) {
  std::string text;
  constexpr const char* kKinds[] = {"direct", "interrupt", "indirect", "fault"};
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
  const bool tiny = (status ^ wanted) == ir::fpstatus::kUnderflow && has_least_normal(interpreted_.state());
  if (status != wanted && !tiny) text += fmt::format("  FP status: {:#x}, not {:#x}\n", status, wanted);
  if ((compiled_.context().mxcsr ^ start_.context().mxcsr) & ~0x3fu) text += "  MXCSR's control bits changed\n";
  return text;
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
