// Errors of the outside world: missing files, bad ELF, refused mmap. A message names the file, offset and value.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tiercel {

struct Error {
  int code = 0;  // an errno value, or 0
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(int code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace tiercel
