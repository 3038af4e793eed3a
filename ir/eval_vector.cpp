#include "ir/eval_internal.h"
namespace tiercel::ir::detail {
U128 eval_vector(const PureOp&, const U128*) {
  UNREACHABLE();
}
U128 eval_vector_wide(const PureOp&, const U128*) {
  UNREACHABLE();
}
U128 eval_vector_saturating(const PureOp&, const U128*) {
  UNREACHABLE();
}
}  // namespace tiercel::ir::detail
