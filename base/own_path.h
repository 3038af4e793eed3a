// Where this program and what was installed with it lie.
#pragma once

#include <string>

namespace tiercel {

/// This program's path; empty: it cannot be told.
std::string own_path();
/// The path of the file called `name` in this program's folder; empty: it cannot be told.
std::string path_beside_us(const std::string& name);

}  // namespace tiercel
