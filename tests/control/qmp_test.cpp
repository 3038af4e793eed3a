#include "app/machine/qmp.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace tiercel::machine {
namespace {

class Recorder final : public Controls {
 public:
  std::string log;
  bool is_paused = false;
  bool paused() override { return is_paused; }
  void pause() override { is_paused = true, log += "pause "; }
  void resume() override { is_paused = false, log += "resume "; }
  void press_power_button() override { log += "button "; }
  void reset() override { log += "reset "; }
  void quit() override { log += "quit "; }
  Result<void> save(const std::string& path) override {
    log += "save:" + path + " ";
    return path == "bad" ? Result<void>(fail(EIO, "no room")) : Result<void>();
  }
};

class QmpTest : public testing::Test {
 protected:
  Recorder machine;
  Qmp qmp{machine};
  /// Without the end of the line.
  std::string ask(std::string_view input) {
    std::string out = qmp.answer(input);
    if (out.ends_with("\r\n")) out.resize(out.size() - 2);
    return out;
  }
  void agree() { EXPECT_EQ(ask(R"({"execute": "qmp_capabilities"})"), R"({"return":{}})"); }
};

TEST_F(QmpTest, GreetsAndNegotiates) {
  const auto greeting = nlohmann::json::parse(Qmp::greeting());
  EXPECT_TRUE(greeting["QMP"]["version"]["qemu"]["major"].is_number_integer());
  EXPECT_TRUE(greeting["QMP"]["capabilities"].is_array());
  EXPECT_FALSE(qmp.event("STOP", nullptr).has_value());
  EXPECT_EQ(ask(R"({"execute": "query-status"})"),
            R"({"error":{"class":"CommandNotFound","desc":"Expecting capabilities negotiation with )"
            R"('qmp_capabilities'"}})");
  EXPECT_EQ(ask(R"({"execute": "qmp_capabilities", "arguments": {"enable": []}, "id": [1, {"a": "}"}]})"),
            R"({"id":[1,{"a":"}"}],"return":{}})");
  EXPECT_EQ(ask(R"({"execute": "qmp_capabilities"})").substr(0, 36), R"({"error":{"class":"CommandNotFound",)");
  const auto event = nlohmann::json::parse(qmp.event("RESET", {{"guest", true}}).value());
  EXPECT_EQ(event["event"], "RESET");
  EXPECT_EQ(event["data"]["guest"], true);
  EXPECT_TRUE(event["timestamp"]["microseconds"].is_number_integer());
}

TEST_F(QmpTest, Commands) {
  agree();
  EXPECT_EQ(ask(R"({"execute":"stop"})"), R"({"return":{}})");
  EXPECT_EQ(ask(R"({"execute":"query-status"})"),
            R"({"return":{"running":false,"singlestep":false,"status":"paused"}})");
  for (const char* name : {"cont", "system_powerdown", "system_reset", "quit"})
    EXPECT_EQ(ask(std::string(R"({"execute":")") + name + "\"}"), R"({"return":{}})") << name;
  EXPECT_EQ(machine.log, "pause resume button reset quit ");
  EXPECT_EQ(ask(R"({"execute":"query-status"})"),
            R"({"return":{"running":true,"singlestep":false,"status":"running"}})");
  const auto commands = nlohmann::json::parse(ask(R"({"execute":"query-commands"})"));
  EXPECT_EQ(commands["return"].size(), 10u);
}

TEST_F(QmpTest, Snapshots) {
  agree();
  EXPECT_EQ(ask(R"({"execute":"x-snapshot-save","arguments":{"filename":"a"}})"), R"({"return":{}})");
  EXPECT_EQ(ask(R"({"execute":"x-snapshot-save","arguments":{"filename":"bad"}})"),
            R"({"error":{"class":"GenericError","desc":"no room"}})");
  EXPECT_EQ(machine.log, "save:a save:bad ");
  for (const auto& [arguments, complaint] : {std::pair{"{}", "Parameter 'filename' is missing"},
                                             {R"({"filename":1})", "expected: string"},
                                             {R"({"filename":"a","x":1})", "Parameter 'x' is unexpected"}}) {
    const std::string answer = ask(R"({"execute":"x-snapshot-save","arguments":)" + std::string(arguments) + "}");
    EXPECT_NE(answer.find(complaint), std::string::npos) << answer;
  }
}

TEST_F(QmpTest, SeveralAtOnceAndInPieces) {
  agree();
  EXPECT_EQ(ask(R"({"execute":"stop"}{"execute":"cont"} {"exec)"), "{\"return\":{}}\r\n{\"return\":{}}");
  EXPECT_EQ(ask(R"(ute":"sto)"), "");
  EXPECT_EQ(ask("p\"}\n"), R"({"return":{}})");
  EXPECT_EQ(ask(" \r\n\t\n"), "");
  EXPECT_EQ(machine.log, "pause resume pause ");
}

TEST_F(QmpTest, Mistakes) {
  agree();
  const auto description = [&](std::string_view input) {
    const auto reply = nlohmann::json::parse(ask(input));
    EXPECT_TRUE(reply.contains("error")) << input;
    return std::string(reply["error"]["desc"]);
  };
  EXPECT_EQ(description(R"({"execute":"fly"})"), "The command fly has not been found");
  EXPECT_EQ(description(R"({})"), "QMP input lacks member 'execute'");
  EXPECT_EQ(description(R"([1])"), "QMP input must be a JSON object");
  EXPECT_EQ(description("12\n"), "QMP input must be a JSON object");
  EXPECT_EQ(description(R"({"execute":1})"), "QMP input member 'execute' must be a string");
  EXPECT_EQ(description(R"({"execute":"stop","arguments":[]})"), "QMP input member 'arguments' must be an object");
  EXPECT_EQ(description(R"({"execute":"stop","arguments":{"x":1}})"), "Parameter 'x' is unexpected");
  EXPECT_EQ(description(R"({"execute":"stop","x":1})"), "QMP input member 'x' is unexpected");
  for (const char* nonsense : {"{]", "}", "{\"execute\":}", "nonsense\n", "{\"a\":\"\xff\"}"})
    EXPECT_EQ(description(nonsense), "JSON parse error") << nonsense;
  EXPECT_EQ(description("{\"execute\":\"stop\",\"id\":1e999}"), "JSON parse error");
  EXPECT_EQ(machine.log, "");
  EXPECT_FALSE(qmp.broken());
  EXPECT_EQ(description("{\"a\":\"" + std::string(70000, 'x')), "the input is too long or too deep");
  EXPECT_TRUE(qmp.broken());
}

TEST_F(QmpTest, DeepInputIsRefused) {
  agree();
  const auto nested = [](std::size_t n) {
    return "{\"execute\":\"stop\",\"id\":" + std::string(n, '[') + std::string(n, ']') + "}";
  };
  EXPECT_NE(ask(nested(255)).find("\"return\":{}"), std::string::npos);
  EXPECT_FALSE(qmp.broken());
  EXPECT_NE(ask(nested(256)).find("too deep"), std::string::npos);
  EXPECT_TRUE(qmp.broken());
}

}  // namespace
}  // namespace tiercel::machine
