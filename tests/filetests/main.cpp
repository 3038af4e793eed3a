// filetests FILE-OR-FOLDER...: runs every .ir file; prints what failed; the exit status is 1 if anything did.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "frontend-arm/a64_frontend.h"
#include "tests/filetests/cases.h"

namespace {

std::vector<std::string> files_of(const std::filesystem::path& path) {
  std::vector<std::string> files;
  if (!std::filesystem::is_directory(path)) return {path.string()};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.path().extension() == ".ir") files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tiercel;
  const auto frontend = arm::make_a64_frontend();
  unsigned cases = 0, failures = 0;
  for (int i = 1; i < argc; ++i) {
    for (const std::string& path : files_of(argv[i])) {
      const test::TestFile file = test::read_test_file(path);
      for (const test::Case& c : file.cases) {
        ++cases;
        const auto complaints =
            file.kind == "run" ? test::run_run_case(file, c, *frontend) : test::run_text_case(file, c, *frontend);
        if (!complaints.empty()) ++failures;
        for (const std::string& complaint : complaints) fmt::print("{}: {}\n", c.name, complaint);
      }
    }
  }
  fmt::print("{} blocks, {} failed\n", cases, failures);
  return failures == 0 && cases != 0 ? 0 : 1;
}
