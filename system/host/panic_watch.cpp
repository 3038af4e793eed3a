#include "system/host/panic_watch.h"

#include <string_view>
#include <utility>

namespace tiercel::system {
namespace {

constexpr u64 kSilence = kNanosecondsPerSecond;
constexpr std::size_t kMostText = 256;

/// The last line of a panic after which the kernel does not restart, behind what printk puts before each:
/// "[    1.234567]".
bool is_last_line(std::string_view text) {
  while (text.starts_with('[')) {
    const std::size_t end = text.find("] ");
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 2);
  }
  return text.starts_with("---[ end Kernel panic - not syncing");
}

}  // namespace

PanicWatch::PanicWatch(CharPort& line, Clock& clock, Cpus cpus)
    : line_(line), clock_(clock), cpus_(std::move(cpus)), timer_(clock.add_timer([this] { look(); })) {}

std::size_t PanicWatch::write(std::span<const u8> bytes) {
  const std::size_t written = line_.write(bytes);
  for (const u8 byte : bytes.first(written)) take(byte);
  return written;
}

void PanicWatch::take(u8 byte) {
  if (byte == '\r') return;
  if (byte != '\n') {
    if (suspected_until_ != Clock::kNever) suspected_until_ = Clock::kNever;  // somebody goes on
    if (text_.size() < kMostText) text_ += static_cast<char>(byte);
    return;
  }
  if (is_last_line(text_)) {
    cpus_.watch();
    suspected_until_ = clock_.now() + kSilence;
    clock_.arm(timer_, suspected_until_);
  }
  text_.clear();
}

void PanicWatch::look() {
  if (clock_.now() < suspected_until_ || panicked_ || !cpus_.only_spun()) return;
  panicked_ = true;
  cpus_.on_panicked();
}

}  // namespace tiercel::system
