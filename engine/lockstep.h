// --lockstep: one block in two tiers from one state.
#pragma once

#include "engine/engine_private.h"

namespace tiercel::engine {

/// Runs `block` in the interpreter, takes its effects back, runs it in the fast tier and compares state and stores.
/// At the first difference prints both sides and aborts. Leaves the fast tier's result. One guest thread only: memory
/// that others change in between is reported as a difference.
void run_lockstep(Engine::Private& engine, Vcpu& vcpu, const CachedBlock& block);

}  // namespace tiercel::engine
