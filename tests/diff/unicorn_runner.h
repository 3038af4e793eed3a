// Unicorn as the reference: an independent implementation of A64 in one process with us.
#pragma once

#include <memory>

#include "tests/diff/state.h"

namespace tiercel::test {

std::unique_ptr<Runner> make_unicorn_runner();

}  // namespace tiercel::test
