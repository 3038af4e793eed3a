#include "system/interrupt/gic3.h"

#include <algorithm>

#include "system/interrupt/gic3_frames.h"

namespace tiercel::system {

Gic3::Gic3(unsigned cpus, unsigned spis, CpuInterrupts& out)
    : Gic(cpus, spis, out),
      routes_(32 * spis_.size()),
      wakers_(cpus),
      hints_(cpus),
      distributor_(std::make_unique<GicDistributor>(*this)),
      redistributors_(std::make_unique<GicRedistributors>(*this)) {
  reset();
}

Gic3::~Gic3() = default;

Device& Gic3::distributor() {
  return *distributor_;
}
Device& Gic3::redistributors() {
  return *redistributors_;
}

void Gic3::on_reset() {
  std::fill(routes_.begin(), routes_.end(), 0);
  std::fill(wakers_.begin(), wakers_.end(), kProcessorSleep | kChildrenAsleep);
  std::fill(hints_.begin(), hints_.end(), 0);
}

}  // namespace tiercel::system
