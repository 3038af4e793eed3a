// What all virtio devices share, whatever the transport. Virtio 1.2, "Basic Facilities of a Virtio Device".
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "base/types.h"
#include "system/bus/bus.h"
#include "system/devices/virtio/virtqueue.h"
#include "system/host/event_loop.h"

namespace tiercel::system {

/// How a device reaches the driver. Called with the device's lock held.
class VirtioInterrupts {
 public:
  virtual ~VirtioInterrupts() = default;
  virtual void queue_used(unsigned queue) = 0;
  virtual void config_changed() = 0;
};

/// A device function. Requests are processed on the event loop's thread with the device's lock held, one at a time; a
/// vCPU takes the lock only to set the device up or to reset it, and a reset waits for the request being processed.
class VirtioDevice {
 public:
  enum Status : u8 { kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kNeedsReset = 64, kFailed = 128 };
  enum : u64 { kIndirectDescriptors = u64{1} << 28, kEventIndex = u64{1} << 29, kVersion1 = u64{1} << 32 };

  struct Environment {
    Bus& bus;
    EventLoop& loop;
  };
  /// `id` is the device type; one entry in `queue_sizes` for each queue.
  VirtioDevice(Environment environment, u32 id, std::vector<u16> queue_sizes);
  virtual ~VirtioDevice() = default;
  VirtioDevice(const VirtioDevice&) = delete;
  VirtioDevice& operator=(const VirtioDevice&) = delete;

  // For transports.
  void connect(VirtioInterrupts& interrupts) { interrupts_ = &interrupts; }
  u32 id() const { return id_; }
  u64 offered() const { return features() | kVersion1 | kEventIndex | kIndirectDescriptors; }
  unsigned queue_count() const { return static_cast<unsigned>(sizes_.size()); }
  u16 max_size(unsigned queue) const { return sizes_[queue]; }
  /// What the driver chose, or the largest while it has not.
  u16 size(unsigned queue);
  u8 status() const { return status_.load(); }
  void set_status(u8 value);
  /// Ignored once FEATURES_OK is set. `half` is 0 or 1; other halves do not exist.
  void accept(unsigned half, u32 value);
  /// One field of a queue that is not enabled yet.
  template <typename T>
  void set_up(unsigned queue, T&& change) {
    const std::scoped_lock lock(mutex_);
    if (queue < queues_.size() && !queues_[queue].enabled()) change(queues_[queue]);
  }
  void enable(unsigned queue);
  void disable(unsigned queue);
  bool enabled(unsigned queue);
  /// A vCPU says that a queue has requests. Does not wait.
  void notify(unsigned queue);
  u32 config_generation() const { return generation_.load(); }
  u64 config_read(u64 offset, unsigned bytes);
  void config_write(u64 offset, unsigned bytes, u64 value);
  void reset();
  /// The device's part of its transport's snapshot. No request is being processed.
  void serialize(Archive& state);

 protected:
  // What a device is. All but features() with the lock held.
  virtual u64 features() const { return 0; }
  virtual std::vector<u8> config() const { return {}; }
  virtual void write_config(u64 /*offset*/, unsigned /*bytes*/, u64 /*value*/) {}
  /// Requests wait in `queue`.
  virtual void process(unsigned queue) = 0;
  virtual void on_reset() {}
  /// What on_reset clears, and what else is its own.
  virtual void on_serialize(Archive& /*state*/) {}

  // For devices, with the lock held.
  bool accepted(u64 feature) const { return (accepted_ & feature) != 0; }
  bool running() const { return (status_ & (kDriverOk | kNeedsReset)) == kDriverOk; }
  /// False: there is none, or the queue is broken, or the device is not running.
  bool pop(unsigned queue, Chain& chain);
  void push(unsigned queue, const Chain& chain, u64 written);
  /// Interrupts the driver if it wants to hear of what was pushed.
  void signal(unsigned queue);
  /// The driver did what it must not: the device stops until it is reset.
  void needs_reset();
  void change_config();
  std::mutex& mutex() { return mutex_; }
  Environment& environment() { return environment_; }

 private:
  void run_notified();

  Environment environment_;
  u32 id_;
  std::vector<u16> sizes_;
  VirtioInterrupts* interrupts_ = nullptr;
  EventLoop::Doorbell& doorbell_;
  std::atomic<u64> notified_{0};  // a bit per queue
  std::atomic<u8> status_{0};
  std::atomic<u32> generation_{0};
  std::mutex mutex_;
  u64 accepted_ = 0;
  std::vector<Virtqueue> queues_;
};

}  // namespace tiercel::system
