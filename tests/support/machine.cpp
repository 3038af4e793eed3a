#include "tests/support/machine.h"

#include <xmmintrin.h>

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "tests/support/flat_memory.h"

namespace tiercel::test {
namespace {

constexpr u32 kDefaultMxcsr = 0x1f80;

}  // namespace

Machine::Machine(guest::Frontend& frontend) : layout_(frontend.layout()), memory_(kMemorySize) {
  const std::size_t bytes = (backend::kStateOffset + layout_.state_size + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, bytes);
  CHECK(memory);
  std::memset(memory, 0, bytes);
  context_ = new (memory) backend::VmContext;
  env_.state = backend::guest_state(context_);
  fp_env_.extra = &context_->fp_extra;
  for (const guest::HelperDecl& h : frontend.helpers()) helpers_.push_back(reinterpret_cast<const void*>(h.function));
  context_->jump_cache = jump_cache_.data();
  context_->memory_base = reinterpret_cast<u64>(memory_.data()) - kMemoryStart;
  context_->eval = ir::eval_out_of_line;
  context_->fp_env = &fp_env_;
  context_->helpers = helpers_.data();
  context_->guest_env = &env_;
}

Machine::~Machine() {
  context_->~VmContext();
  std::free(context_);
}

void Machine::reset() {
  std::memset(state().data(), 0, state().size());
  std::memset(memory_.data(), 0, memory_.size());
  context_->mxcsr = kDefaultMxcsr;
  context_->fp_extra = 0;
}

U128 Machine::slot(ir::SlotId s) const {
  U128 v;
  const ir::SlotInfo& info = layout_.slots[s];
  std::memcpy(&v, static_cast<const u8*>(backend::guest_state(context_)) + info.offset, ir::type_bits(info.type) / 8);
  return v;
}

void Machine::set_slot(ir::SlotId s, const U128& v) {
  const ir::SlotInfo& info = layout_.slots[s];
  std::memcpy(state().data() + info.offset, &v, ir::type_bits(info.type) / 8);
}

void Machine::set_rounding(ir::Round r) {
  const u32 field = r == ir::Round::NegInf ? 1 : r == ir::Round::PosInf ? 2 : r == ir::Round::Zero ? 3 : 0;
  context_->mxcsr = (context_->mxcsr & ~0x6000u) | field << 13;
}

u32 Machine::fp_status() const {
  const u32 m = context_->mxcsr;  // DE, bit 1, is nothing the guest knows
  return (m & 1) | (m >> 1 & 0x1e) | context_->fp_extra;
}

void Machine::set_fp_status(u32 status) {
  context_->mxcsr = (context_->mxcsr & ~0x3fu) | (status & 1) | (status & 0x1e) << 1;
  context_->fp_extra = status & ir::fpstatus::kInputDenormal;
}

Outcome Machine::interpret(const ir::Function& f) {
  FlatMemory memory(memory_, kMemoryStart);
  const u32 host = _mm_getcsr();
  _mm_setcsr(context_->mxcsr);
  const auto r = backend::interpret(f, layout_.slots, *context_, memory);
  context_->mxcsr = _mm_getcsr();
  _mm_setcsr(host);
  return {r.reason, context_->exit_pc, r.fault_address, context_->exit_arg, context_->exit_payload};
}

}  // namespace tiercel::test
