#include "system/devices/virtio/virtio_console.h"

#include <array>

namespace tiercel::system {
namespace {

enum : u64 { kSize = 1 << 0, kEmergencyWrite = 1 << 2 };  // VIRTIO_CONSOLE_F_*
constexpr unsigned kReceive = 0, kTransmit = 1;
constexpr u64 kEmergencyRegister = 8;
// Of one buffer, whatever length it claims: bounds what waits here. Linux sends at most a page.
constexpr u64 kMostBytes = 64 << 10;
// Of what arrives, handed over in one go.
constexpr std::size_t kChunk = 512;

}  // namespace

VirtioConsole::VirtioConsole(Environment environment, CharPort& port)
    : VirtioDevice(environment, kId, {64, 64}), port_(port) {
  port_.on_change([this] {
    const std::scoped_lock lock(mutex());
    if (!running()) return;
    receive();
    send();
  });
}

u64 VirtioConsole::features() const {
  return kSize | kEmergencyWrite;
}

std::vector<u8> VirtioConsole::config() const {
  std::vector<u8> all(12);
  all[0] = static_cast<u8>(columns_), all[1] = static_cast<u8>(columns_ >> 8);
  all[2] = static_cast<u8>(rows_), all[3] = static_cast<u8>(rows_ >> 8);
  all[4] = 1;  // max_nr_ports
  return all;
}

void VirtioConsole::write_config(u64 offset, unsigned, u64 value) {
  const u8 byte = static_cast<u8>(value);
  if (offset == kEmergencyRegister) port_.write({&byte, 1});
}

void VirtioConsole::resize(u16 columns, u16 rows) {
  const std::scoped_lock lock(mutex());
  columns_ = columns, rows_ = rows;
  change_config();
}

void VirtioConsole::on_serialize(Archive& state) {
  state(columns_, rows_);
  state.list(sending_, kMostBytes);
}

void VirtioConsole::process(unsigned queue) {
  if (queue == kReceive)
    receive();
  else
    send();
}

void VirtioConsole::receive() {
  std::array<u8, kChunk> bytes;
  Chain chain;
  // Input waits outside until the driver has room for it.
  while (const std::size_t waiting = port_.available()) {
    if (!pop(kReceive, chain)) return;
    const u64 room = std::min<u64>({chain.writable_bytes(), waiting, kChunk});
    const std::size_t n = port_.read({bytes.data(), room});
    push(kReceive, chain, chain.write(0, {bytes.data(), n}));
    signal(kReceive);
  }
}

bool VirtioConsole::send_pending() {
  const std::size_t n = port_.write(sending_);
  sending_.erase(sending_.begin(), sending_.begin() + static_cast<long>(n));
  return sending_.empty();
}

void VirtioConsole::send() {
  Chain chain;
  while (send_pending() && pop(kTransmit, chain)) {
    sending_.resize(std::min(chain.readable_bytes(), kMostBytes));
    chain.read(0, sending_);
    push(kTransmit, chain, 0);
    signal(kTransmit);
  }
}

}  // namespace tiercel::system
