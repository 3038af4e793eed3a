#include "backend/x64/emitter.h"

namespace tiercel::backend::x64 {

/// No inline forms yet: everything goes to the evaluator.
bool Emitter::emit_vector(const Inst&, u32) {
  return false;
}

}  // namespace tiercel::backend::x64
