#include "backend/backend.h"
namespace tiercel::backend {
namespace {
class Stub final : public Backend {
 public:
  const char* name() const override { return "stub"; }
  Runtime make_runtime() override { return {.code = std::vector<u8>(64, 0xc3), .enter = 0, .common_exit = 0, .indirect = 0, .fault_exit = 0}; }
  void compile(const ir::Function&, bool, CompiledCode&) override { __builtin_trap(); }
  void save_pinned(const void*, void*) const override {}
};
}
std::unique_ptr<Backend> make_x64_backend(const VmLayout&, const HostFeatures&) { return std::make_unique<Stub>(); }
}
