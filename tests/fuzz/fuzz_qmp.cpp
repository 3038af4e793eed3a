// What a program that rules a machine sends. Every answer is lines of JSON.
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/machine/qmp.h"
#include "base/check.h"

namespace {

class Nothing final : public tiercel::machine::Controls {
 public:
  bool paused() override { return false; }
  void pause() override {}
  void resume() override {}
  void press_power_button() override {}
  void reset() override {}
  void quit() override {}
  tiercel::Result<void> save(const std::string&) override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  Nothing machine;
  tiercel::machine::Qmp qmp(machine);
  std::string_view input(reinterpret_cast<const char*>(data), size);
  while (!input.empty() && !qmp.broken()) {
    const std::string_view piece = input.substr(0, 61);
    input.remove_prefix(piece.size());
    std::istringstream answers(qmp.answer(piece));
    for (std::string line; std::getline(answers, line);) CHECK(nlohmann::json::parse(line).is_object());
  }
  return 0;
}
