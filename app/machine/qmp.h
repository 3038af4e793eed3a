// The protocol of --control, QMP: JSON objects both ways. QEMU Machine Protocol Specification; the commands are those
// of QEMU that mean something here.
#pragma once

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"

namespace tiercel::machine {

/// What can be done with a machine from outside.
class Controls {
 public:
  virtual ~Controls() = default;
  virtual bool paused() = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
  virtual void press_power_button() = 0;
  virtual void reset() = 0;
  virtual void quit() = 0;
  /// Saves a snapshot; the machine is as before afterwards. Waits for it.
  virtual Result<void> save(const std::string& path) = 0;
};

/// One conversation.
class Qmp {
 public:
  explicit Qmp(Controls& controls) : controls_(controls) {}

  static std::string greeting();
  /// What is to be said to what has arrived; it need not end where an object does.
  std::string answer(std::string_view input);
  /// `data` may be null. Nothing: the other side has not agreed to capabilities yet, and hears of no events.
  std::optional<std::string> event(const char* name, const nlohmann::json& data) const;
  /// The other side sends what cannot be a command.
  bool broken() const { return broken_; }

 private:
  std::optional<std::string> next_object();
  nlohmann::json execute(const nlohmann::json& request);

  Controls& controls_;
  std::string input_;
  std::atomic<bool> negotiated_{false};
  bool broken_ = false;
};

}  // namespace tiercel::machine
