// The service's side of the memory of one request.
#pragma once

#include <string_view>
#include <vector>

#include "service/messages.h"

namespace tiercel::service {

/// The client cannot shrink the memory: the seals are checked before it is mapped.
class Job {
 public:
  /// Takes `fd` over.
  explicit Job(int fd);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  int descriptor() const { return fd_; }
  /// A copy of the request. False: this is no memory of a request that we understand.
  bool take(std::vector<u8>& request);
  bool answered() const;
  /// `request_bytes`: the size of what take() gave.
  void answer(State state, const void* data, u64 size, u64 compile_ns, u64 request_bytes);
  void refuse(std::string_view why, u64 compile_ns, u64 request_bytes) {
    answer(State::Refused, why.data(), why.size(), compile_ns, request_bytes);
  }

 private:
  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  int fd_;
  u8* base_ = nullptr;
};

}  // namespace tiercel::service
