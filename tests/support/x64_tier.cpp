#include "tests/support/x64_tier.h"

#include "base/bits.h"
#include "base/check.h"
#include "tests/support/fp_trap.h"

namespace tiercel::test {
namespace {

backend::VmLayout vm_layout(const guest::Layout& layout) {
  backend::VmLayout vm;
  vm.slots = layout.slots;
  vm.state_size = layout.state_size;
  vm.pc_offset = layout.pc_offset;
  vm.base_is_zero = false;  // Machine's memory lies where it lies
  return vm;
}

engine::CodeMemory code_memory() {
  auto memory = engine::CodeMemory::create(1 << 20);
  CHECK(memory);
  return std::move(*memory);
}

}  // namespace

X64Tier::X64Tier(const guest::Layout& layout, const backend::HostFeatures& features)
    : backend_(backend::make_x64_backend(vm_layout(layout), features)),
      memory_(code_memory()),
      runtime_(backend_->make_runtime()) {
  memory_.write(0, runtime_.code.data(), runtime_.code.size());
  function_offset_ = align_up(runtime_.code.size(), 64);
}

void X64Tier::compile(const ir::Function& f) {
  rules_ = f.fp;
  backend_->compile(f, false, code_);
  CHECK(function_offset_ + code_.code.size() <= memory_.size());
  memory_.write(function_offset_, code_.code.data(), code_.code.size());
}

Outcome X64Tier::run(Machine& machine) {
  backend::VmContext& c = machine.context();
  const u8* runtime = memory_.code();
  c.common_exit = runtime + runtime_.common_exit;
  c.indirect_miss = runtime + runtime_.indirect;
  for (u32 i = 0; i < backend::kStubCount; ++i) c.stubs[i] = runtime + runtime_.stubs[i];
  c.reason = backend::Reason::None;
  using Enter = void (*)(backend::VmContext*, const void*);
  {
    const FpTrap trap(*backend_, c, rules_);
    reinterpret_cast<Enter>(reinterpret_cast<u64>(runtime + runtime_.enter))(&c, runtime + function_offset_);
  }
  Outcome o{c.reason, c.exit_pc, 0, c.exit_arg, c.exit_payload};
  if (c.reason == backend::Reason::LinkMiss || c.reason == backend::Reason::IndirectMiss)
    o.reason = backend::Reason::None;
  return o;
}

std::string X64Tier::listing(const ir::Function& f) {
  backend::CompiledCode code;
  backend_->compile(f, true, code);
  return code.listing;
}

backend::HostFeatures least_features() {
  return {};
}

backend::HostFeatures without_avx512() {
  return backend::HostFeatures::detect().limited_to(3);
}

}  // namespace tiercel::test
