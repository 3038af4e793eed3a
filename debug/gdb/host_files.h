// The protocol's Host I/O packets: the guest's files, for reading only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "debug/gdb/target.h"

namespace tiercel::debug::gdb {

class HostFiles {
 public:
  explicit HostFiles(Target& target) : target_(target) {}
  ~HostFiles();
  HostFiles(const HostFiles&) = delete;
  HostFiles& operator=(const HostFiles&) = delete;

  /// `packet` without `vFile:`.
  std::string answer(std::string_view packet);

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
