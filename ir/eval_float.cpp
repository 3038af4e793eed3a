#include "ir/eval_internal.h"
namespace tiercel::ir::detail {
U128 eval_float(const PureOp&, const U128*, FpEnv&) {
  UNREACHABLE();
}
}  // namespace tiercel::ir::detail
