// Where the reference is wrong, and why we believe so. Sequences with such a row are compared between our tiers only;
// the instruction tests cover what the manual says of them.
#pragma once

#include <span>
#include <string>

#include "tests/diff/generator.h"

namespace tiercel::test {

struct KnownIssue {
  const char* row;     // regular expression on "text heading" of a row
  const char* reason;  // what the reference does, and the manual's heading that says otherwise
};

std::span<const KnownIssue> known_issues();

/// True if `row` is affected by one of the known issues.
bool has_known_issue(const arm::Row& row);

}  // namespace tiercel::test
