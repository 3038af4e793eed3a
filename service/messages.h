// What the guest's process and the translation service write into the memory they share for one request: a header, the
// request, and behind it the reply. Both sides treat what the other one wrote as hostile: it is copied, then checked.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "backend/region_code.h"
#include "ir/region.h"

namespace tiercel::service {

/// Another number when anything is different that the two sides must agree on: the messages, the IR, what generated
/// code expects of its surroundings. Programs made from other sources do not understand each other.
u64 protocol_stamp();

enum class State : u32 { Waiting, Compiled, Refused };

/// At the start of the shared memory.
struct Header {
  u64 stamp;                     // protocol_stamp() of the client
  std::atomic<u32> state;        // State; also a futex word, woken when it leaves Waiting
  u32 request_bytes;             // behind the header
  std::atomic<u64> reply_bytes;  // behind the request, at the next multiple of 64
  std::atomic<u64> compile_ns;
};
static_assert(std::atomic<u32>::is_always_lock_free && std::atomic<u64>::is_always_lock_free);

inline constexpr u64 kSharedBytes = 8 << 20;  // size of the memory of one request; what is not written costs nothing
constexpr u64 reply_offset(u64 request_bytes) {
  return (sizeof(Header) + request_bytes + 63) / 64 * 64;
}

/// The surroundings and the region, as the compiler wants them.
struct Request {
  std::vector<ir::SlotInfo> slots;
  backend::VmLayout layout;  // layout.slots refers to `slots`
  backend::HostFeatures features;
  bool want_listing = false;
  ir::Region region;
};

std::vector<u8> encode_request(const backend::VmLayout& layout, const backend::HostFeatures& features,
                               const ir::Region& region, bool want_listing);
/// False: not a sound request. Every Function of a sound one passes the IR verifier.
bool decode_request(std::span<const u8> bytes, Request& out);

/// Of a message. It tells mistakes apart, not forgeries.
u64 fingerprint(std::span<const u8> bytes);

/// `request`: the fingerprint of what is answered.
std::vector<u8> encode_reply(const backend::RegionCode& code, u64 request);
/// False, with the reason: damaged, the answer to another request, or not a reply that can be mapped safely. `exits`
/// must lead to the region's own pcs or successors only in so far as the pcs are any: a wrong pc is a wrong result, not
/// a danger, and the stamp excludes it.
bool decode_reply(std::span<const u8> bytes, u64 request, backend::RegionCode& out, std::string& why);

}  // namespace tiercel::service
