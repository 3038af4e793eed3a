#include "tests/diff/known_issues.h"

#include <regex>

namespace tiercel::test {

namespace {

constexpr KnownIssue kIssues[] = {
    {R"(^ld[su]m(ax|in)\S* \{Rs:w\})",
     "LDSMAX, LDSMIN, LDUMAX, LDUMIN of 32 bits and less: compares the zero-extended memory with all 64 bits of Rs "
     "(QEMU before its fix of do_nonatomic_op); the manual's MemAtomic works on elements of the accessed size"},
};

}  // namespace

std::span<const KnownIssue> known_issues() {
  return kIssues;
}

bool has_known_issue(const arm::Row& row) {
  const std::string text = std::string(row.text) + " " + std::string(row.manual);
  for (const KnownIssue& issue : known_issues())
    if (std::regex_search(text, std::regex(issue.row))) return true;
  return false;
}

}  // namespace tiercel::test
