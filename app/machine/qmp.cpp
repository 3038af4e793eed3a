#include "app/machine/qmp.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

namespace tiercel::machine {
namespace {

using nlohmann::json;

constexpr std::size_t kLongest = 1 << 16;
constexpr std::size_t kDeepest = 256;

json version() {
  // "MAJOR.MINOR.MICRO"
  int parts[3] = {};
  std::sscanf(TIERCEL_VERSION, "%d.%d.%d", &parts[0], &parts[1], &parts[2]);
  return {{"qemu", {{"major", parts[0]}, {"minor", parts[1]}, {"micro", parts[2]}}}, {"package", "tiercel"}};
}

json error(const char* kind, const std::string& description) {
  return {{"error", {{"class", kind}, {"desc", description}}}};
}
json failure(const std::string& description) {
  return error("GenericError", description);
}
json success(json result = json::object()) {
  return {{"return", std::move(result)}};
}

std::string line(const json& object) {
  return object.dump(-1, ' ', true, json::error_handler_t::replace) + "\r\n";
}

json status_of(Controls& machine) {
  const bool paused = machine.paused();
  return {{"running", !paused}, {"singlestep", false}, {"status", paused ? "paused" : "running"}};
}

Result<json> save_snapshot(Controls& machine, const std::string& path) {
  if (Result<void> saved = machine.save(path); !saved) return tl::unexpected(saved.error());
  return json::object();
}

struct Command {
  const char* name;
  Result<json> (*perform)(Controls&, const std::string& argument);
  const char* parameter = nullptr;  // the only one, a string that must be given
};

json list_commands();

constexpr Command kCommands[] = {
    {"qmp_capabilities", [](Controls&, const std::string&) -> Result<json> { return json::object(); }},
    {"query-status", [](Controls& m, const std::string&) -> Result<json> { return status_of(m); }},
    {"query-version", [](Controls&, const std::string&) -> Result<json> { return version(); }},
    {"query-commands", [](Controls&, const std::string&) -> Result<json> { return list_commands(); }},
    {"stop", [](Controls& m, const std::string&) -> Result<json> { return m.pause(), json::object(); }},
    {"cont", [](Controls& m, const std::string&) -> Result<json> { return m.resume(), json::object(); }},
    {"system_powerdown",
     [](Controls& m, const std::string&) -> Result<json> { return m.press_power_button(), json::object(); }},
    {"system_reset", [](Controls& m, const std::string&) -> Result<json> { return m.reset(), json::object(); }},
    {"quit", [](Controls& m, const std::string&) -> Result<json> { return m.quit(), json::object(); }},
    {"x-snapshot-save", save_snapshot, "filename"},
};

json list_commands() {
  json list = json::array();
  for (const Command& c : kCommands) list.push_back({{"name", c.name}});
  return list;
}

/// What is wrong with the form of a request; empty: nothing.
std::string bad_form(const json& request) {
  if (!request.is_object()) return "QMP input must be a JSON object";
  for (const auto& [key, value] : request.items()) {
    if (key != "execute" && key != "arguments" && key != "id")
      return fmt::format("QMP input member '{}' is unexpected", key);
    if (key == "execute" && !value.is_string()) return "QMP input member 'execute' must be a string";
    if (key == "arguments" && !value.is_object()) return "QMP input member 'arguments' must be an object";
  }
  return request.contains("execute") ? "" : "QMP input lacks member 'execute'";
}

/// The command's argument; what is wrong with it, or empty.
std::string take_argument(const json& request, const Command& command, std::string& argument) {
  const json arguments = request.value("arguments", json::object());
  for (const auto& [key, value] : arguments.items()) {
    const bool known = command.parameter ? key == command.parameter
                                         : key == "enable" && std::string_view(command.name) == "qmp_capabilities";
    if (!known) return fmt::format("Parameter '{}' is unexpected", key);
  }
  if (!command.parameter) return "";
  if (!arguments.contains(command.parameter)) return fmt::format("Parameter '{}' is missing", command.parameter);
  if (!arguments[command.parameter].is_string())
    return fmt::format("Invalid parameter type for '{}', expected: string", command.parameter);
  argument = arguments[command.parameter];
  return "";
}

}  // namespace

std::string Qmp::greeting() {
  return line({{"QMP", {{"version", version()}, {"capabilities", json::array()}}}});
}

std::optional<std::string> Qmp::event(const char* name, const json& data) const {
  if (!negotiated_) return {};
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  json object = {{"event", name}, {"timestamp", {{"seconds", now / 1'000'000}, {"microseconds", now % 1'000'000}}}};
  if (!data.is_null()) object["data"] = data;
  return line(object);
}

/// The text of the first complete object in input_, without it.
std::optional<std::string> Qmp::next_object() {
  std::size_t depth = 0;
  bool in_string = false, begun = false;
  for (std::size_t i = 0; i < input_.size(); ++i) {
    const char c = input_[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = begun = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) broken_ = true;
      begun = true;
    } else if (c == '}' || c == ']') {
      depth = depth > 0 ? depth - 1 : 0;
      begun = true;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
      begun = true;
    }
    // A value that is no object ends with its line.
    const bool ends = !in_string && depth == 0 && begun && (c == '}' || c == ']' || c == '\n');
    if (!ends) continue;
    std::string object = input_.substr(0, i + 1);
    input_.erase(0, i + 1);
    return object;
  }
  if (!begun) input_.clear();
  return {};
}

std::string Qmp::answer(std::string_view input) {
  std::string out;
  input_ += input;
  for (;;) {
    const std::optional<std::string> text = next_object();
    if (!text || broken_) break;
    const json request = json::parse(*text, nullptr, false);
    if (request.is_discarded()) {
      out += line(failure("JSON parse error"));
      continue;
    }
    json reply = execute(request);
    if (request.is_object() && request.contains("id")) reply["id"] = request["id"];
    out += line(reply);
  }
  broken_ = broken_ || input_.size() > kLongest;
  return broken_ ? out + line(failure("the input is too long or too deep")) : out;
}

json Qmp::execute(const json& request) {
  if (const std::string problem = bad_form(request); !problem.empty()) return failure(problem);
  const std::string name = request["execute"];
  const bool negotiates = name == "qmp_capabilities";
  if (!negotiated_ && !negotiates)
    return error("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
  if (negotiated_ && negotiates)
    return error("CommandNotFound", "Capabilities negotiation is already complete, command ignored");
  for (const Command& command : kCommands) {
    if (name != command.name) continue;
    std::string argument;
    if (const std::string problem = take_argument(request, command, argument); !problem.empty())
      return failure(problem);
    negotiated_ = true;
    Result<json> result = command.perform(controls_, argument);
    return result ? success(std::move(*result)) : failure(result.error().message);
  }
  return error("CommandNotFound", fmt::format("The command {} has not been found", name));
}

}  // namespace tiercel::machine
