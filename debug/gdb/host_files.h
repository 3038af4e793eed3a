// The protocol's Host I/O packets: the guest's files, for reading only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "debug/gdb/target.h"

namespace tiercel::debug::gdb {

class HostFiles {
 public:
  explicit HostFiles(Target& target) : target_(target) {}
  /// With files that are open already.
  HostFiles(Target& target, std::map<u64, int> open, u64 next) : target_(target), open_(std::move(open)), next_(next) {}
  ~HostFiles();
  HostFiles(const HostFiles&) = delete;
  HostFiles& operator=(const HostFiles&) = delete;

  /// `packet` without `vFile:`.
  std::string answer(std::string_view packet);
  const std::map<u64, int>& open_files() const { return open_; }
  u64 next_number() const { return next_; }

 private:
  std::string open(std::string_view arguments);
  std::string close(std::string_view arguments);
  std::string pread(std::string_view arguments);
  std::string fstat(std::string_view arguments);
  std::string readlink(std::string_view arguments);
  int find(u64 number) const;

  Target& target_;
  std::map<u64, int> open_;
  u64 next_ = 1;
};

}  // namespace tiercel::debug::gdb
