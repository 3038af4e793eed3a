#include "backend/x64/vector_emitter.h"

namespace tiercel::backend::x64 {

bool Emitter::emit_vector(const Inst& inst, u32 i) {
  return VectorEmitter(*this, *f_).emit(inst, i);
}

}  // namespace tiercel::backend::x64
