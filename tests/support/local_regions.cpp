#include "tests/support/local_regions.h"

#include <deque>

#include "backend/llvm/region_compiler.h"

namespace tiercel::test {
namespace {

class LocalRegions final : public engine::RegionService {
 public:
  LocalRegions(const backend::VmLayout& layout, const backend::HostFeatures& features)
      : compiler_(backend::make_llvm_compiler(layout, features)) {}

  bool submit(u64 ticket, const ir::Region& region, bool want_listing) override {
    engine::RegionAnswer& answer = answers_.emplace_back();
    answer.ticket = ticket;
    answer.compiled = compiler_->compile(region, {want_listing}, answer.code, answer.why);
    return true;
  }
  bool collect(engine::RegionAnswer& answer, bool) override {
    if (answers_.empty()) return false;
    answer = std::move(answers_.front());
    answers_.pop_front();
    return true;
  }
  void forget() override { answers_.clear(); }

 private:
  std::unique_ptr<backend::RegionCompiler> compiler_;
  std::deque<engine::RegionAnswer> answers_;
};

}  // namespace

std::unique_ptr<engine::RegionService> make_local_regions(const backend::VmLayout& layout,
                                                          const backend::HostFeatures& features) {
  return std::make_unique<LocalRegions>(layout, features);
}

}  // namespace tiercel::test
