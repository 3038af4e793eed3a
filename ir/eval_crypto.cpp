#include "ir/eval_internal.h"
namespace tiercel::ir::detail {
U128 eval_crypto(const PureOp&, const U128*) {
  UNREACHABLE();
}
}  // namespace tiercel::ir::detail
