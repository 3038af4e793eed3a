#include "service/messages.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/bits.h"
#include "ir/verifier.h"

namespace tiercel::service {

extern const unsigned long long kSourceStamp;  // in a file that the build makes: cmake/source_stamp.cmake

namespace {

constexpr u32 kMaxSlots = 1024, kMaxBlocks = 4096, kMaxInsts = 1 << 16, kMaxCode = 4 << 20, kMaxFrame = 1 << 18;

class Writer {
 public:
  template <typename T>
  void value(const T& v) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* p = reinterpret_cast<const u8*>(&v);
    bytes.insert(bytes.end(), p, p + sizeof v);
  }
  template <typename T>
  void array(const std::vector<T>& items) {
    static_assert(std::is_trivially_copyable_v<T>);
    value(static_cast<u32>(items.size()));
    const auto* p = reinterpret_cast<const u8*>(items.data());
    bytes.insert(bytes.end(), p, p + items.size() * sizeof(T));
  }
  std::vector<u8> bytes;
};

class Reader {
 public:
  explicit Reader(std::span<const u8> bytes) : left_(bytes) {}

  template <typename T>
  bool value(T& v) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool> && !std::is_enum_v<T>);
    if (left_.size() < sizeof v) return false;
    std::memcpy(static_cast<void*>(&v), left_.data(), sizeof v);
    left_ = left_.subspan(sizeof v);
    return true;
  }
  bool flag(bool& v) {
    u8 byte = 0;
    if (!value(byte) || byte > 1) return false;
    v = byte != 0;
    return true;
  }
  template <typename T>
  bool array(std::vector<T>& items, u32 limit) {
    u32 count = 0;
    if (!value(count) || count > limit || left_.size() / sizeof(T) < count) return false;
    items.resize(count);
    if (count != 0) std::memcpy(static_cast<void*>(items.data()), left_.data(), count * sizeof(T));
    left_ = left_.subspan(count * sizeof(T));
    return true;
  }
  bool done() const { return left_.empty(); }
  std::span<const u8> left() const { return left_; }

 private:
  std::span<const u8> left_;
};

/// SlotInfo without its name.
struct WireSlot {
  u32 offset;
  u8 type, heat;
  u16 zero;
};
struct WireLayout {
  u32 state_size, pc_offset;
  u8 base_is_zero, translated, features[sizeof(backend::HostFeatures)];
};
static_assert(std::is_trivially_copyable_v<backend::HostFeatures>);

/// Enums and flags as they came; the verifier expects values that exist.
bool plausible(const ir::Inst& inst) {
  u16 op;
  u8 type, arr;
  std::memcpy(&op, &inst.op, sizeof op);
  std::memcpy(&type, &inst.type, sizeof type);
  std::memcpy(&arr, &inst.arr, sizeof arr);
  return op < ir::kOpcodeCount && type <= static_cast<u8>(ir::Type::Flags) && arr <= static_cast<u8>(ir::Arr::D2);
}

bool decode_slots(Reader& in, Request& out) {
  std::vector<WireSlot> wire;
  if (!in.array(wire, kMaxSlots)) return false;
  for (const WireSlot& w : wire) {
    if (w.type > static_cast<u8>(ir::Type::Flags)) return false;
    const auto type = static_cast<ir::Type>(w.type);
    if (u64{w.offset} + ir::type_bits(type) / 8 > out.layout.state_size) return false;
    out.slots.push_back({type, w.offset, "", w.heat});
  }
  return true;
}

bool decode_function(Reader& in, const Request& request, ir::Function& f) {
  u8 fp = 0;
  if (!in.value(f.pc) || !in.value(f.end_pc) || !in.value(f.insn_count) || !in.value(f.counter) || !in.value(fp) ||
      !in.flag(f.relative))
    return false;
  if (f.counter >= backend::kCounters) return false;
  f.fp = ir::FpRules::unpack(fp);
  if (!in.array(f.insts, kMaxInsts) || !in.array(f.pool, kMaxInsts)) return false;
  return std::all_of(f.insts.begin(), f.insts.end(), plausible) && ir::verify(f, request.slots).empty();
}

/// RegionFlags.
struct WireFlags {
  u16 op;
  u8 type, imm;
};

bool decode_faults(Reader& in, backend::RegionCode& out) {
  std::vector<WireFlags> flags;
  if (!in.array(out.faults, kMaxCode) || !in.array(out.places, kMaxCode) || !in.array(out.constants, kMaxCode))
    return false;
  if (!in.array(flags, kMaxInsts) || !in.value(out.frame)) return false;
  for (const WireFlags& w : flags) {
    const backend::RegionFlags f{static_cast<ir::Opcode>(w.op), static_cast<ir::Type>(w.type), w.imm};
    const bool none = w.op == static_cast<u16>(ir::Opcode::Nop);
    if (!none && (w.op >= ir::kOpcodeCount || !backend::is_lazy_flags(f.op))) return false;
    const bool is_float = f.type == ir::Type::F32 || f.type == ir::Type::F64;
    const bool is_integer = f.type >= ir::Type::I8 && f.type <= ir::Type::I64;
    if (!none && !(f.op == ir::Opcode::FlagsFcmp ? is_float : is_integer)) return false;
    out.flags.push_back(f);
  }
  return true;
}

/// Does everything that a fault leads to lie where there is something?
bool faults_inside(const backend::RegionCode& out) {
  using backend::RegionFault, backend::ValuePlace;
  for (std::size_t i = 0; i < out.faults.size(); ++i) {
    const RegionFault& f = out.faults[i];
    if (f.host_offset >= out.code.size() || (i > 0 && f.host_offset <= out.faults[i - 1].host_offset)) return false;
    if (f.landing_offset != RegionFault::kNoLanding) {
      if (f.landing_offset >= out.code.size()) return false;
      continue;
    }
    if (f.exit >= out.exits.size() || f.flags >= out.flags.size()) return false;
    if (f.first > out.places.size() || out.places.size() - f.first < f.count) return false;
  }
  return out.frame % 4 == 0 && out.frame <= kMaxFrame &&
         std::all_of(out.places.begin(), out.places.end(), [&](const ValuePlace& p) {
           if (p.where == ValuePlace::kStack) return p.at >= 0 && static_cast<u32>(p.at) < out.frame;
           if (p.where == ValuePlace::kConstant) return p.at >= 0 && static_cast<u32>(p.at) < out.constants.size();
           return p.where < ValuePlace::kStack;
         });
}

/// What backend/region_code.h demands of a region beyond sound Functions.
bool is_region(const ir::Region& region) {
  if (region.blocks.empty()) return false;
  std::vector<u64> pcs;
  for (const ir::Function& f : region.blocks) {
    pcs.push_back(f.pc);
    if (f.relative != region.blocks.front().relative) return false;
    for (const ir::Inst& i : f.insts)
      if (i.op == ir::Opcode::Exit || i.op == ir::Opcode::CallHelper) return false;
  }
  std::sort(pcs.begin(), pcs.end());
  if (std::adjacent_find(pcs.begin(), pcs.end()) != pcs.end()) return false;
  if (!region.branches.empty() && region.branches.size() != region.blocks.size()) return false;
  const auto exists = [&](const ir::AccessNotes& n) {
    return n.block < region.blocks.size() && n.inst < region.blocks[n.block].insts.size();
  };
  if (!std::all_of(region.accesses.begin(), region.accesses.end(), exists)) return false;
  return std::all_of(region.edges.begin(), region.edges.end(), [&](const ir::IndirectEdge& e) {
    return e.from < pcs.size() && std::binary_search(pcs.begin(), pcs.end(), e.to);
  });
}

}  // namespace

u64 protocol_stamp() {
  return kSourceStamp ^ (u64{sizeof(ir::Inst)} << 32) ^ sizeof(backend::VmContext);
}

std::vector<u8> encode_request(const backend::VmLayout& layout, const backend::HostFeatures& features,
                               const ir::Region& region, bool want_listing) {
  Writer out;
  WireLayout wire{layout.state_size, layout.pc_offset, layout.base_is_zero, layout.translated, {}};
  std::memcpy(wire.features, &features, sizeof features);
  out.value(wire);
  out.value(static_cast<u8>(want_listing));
  std::vector<WireSlot> slots;
  for (const ir::SlotInfo& s : layout.slots) slots.push_back({s.offset, static_cast<u8>(s.type), s.heat, 0});
  out.array(slots);
  out.value(static_cast<u32>(region.blocks.size()));
  for (const ir::Function& f : region.blocks) {
    out.value(f.pc), out.value(f.end_pc), out.value(f.insn_count), out.value(f.counter), out.value(f.fp.pack());
    out.value(static_cast<u8>(f.relative));
    out.array(f.insts), out.array(f.pool);
  }
  out.array(region.edges);
  out.array(region.branches);
  out.array(region.accesses);
  return std::move(out.bytes);
}

bool decode_request(std::span<const u8> bytes, Request& out) {
  Reader in(bytes);
  WireLayout wire;
  u32 blocks = 0;
  if (!in.value(wire) || !in.flag(out.want_listing) || wire.base_is_zero > 1 || wire.translated > 1) return false;
  for (const u8 feature : wire.features)
    if (feature > 1) return false;
  std::memcpy(&out.features, wire.features, sizeof out.features);
  out.layout.state_size = wire.state_size;
  out.layout.pc_offset = wire.pc_offset;
  out.layout.base_is_zero = wire.base_is_zero != 0;
  out.layout.translated = wire.translated != 0;
  if (wire.state_size > (1 << 20) || wire.pc_offset + u64{8} > wire.state_size) return false;
  if (!decode_slots(in, out) || !in.value(blocks) || blocks > kMaxBlocks) return false;
  out.layout.slots = out.slots;
  out.region.blocks.resize(blocks);
  for (ir::Function& f : out.region.blocks)
    if (!decode_function(in, out, f)) return false;
  return in.array(out.region.edges, kMaxInsts) && in.array(out.region.branches, kMaxBlocks) &&
         in.array(out.region.accesses, kMaxInsts) && in.done() && is_region(out.region);
}

u64 fingerprint(std::span<const u8> bytes) {
  u64 hash = bytes.size();
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), sizeof(u64)))) {
    u64 word = 0;
    std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  return hash;
}

std::vector<u8> encode_reply(const backend::RegionCode& code, u64 request) {
  Writer out;
  out.value(u64{0});  // for the fingerprint of what follows
  out.value(request);
  out.value(code.entry);
  out.array(code.code);
  out.value(static_cast<u32>(code.exits.size()));
  for (const backend::RegionExit& e : code.exits) out.value(static_cast<u8>(e.kind)), out.value(e.pc);
  out.array(code.faults);
  out.array(code.places);
  out.array(code.constants);
  std::vector<WireFlags> flags;
  for (const backend::RegionFlags& f : code.flags)
    flags.push_back({static_cast<u16>(f.op), static_cast<u8>(f.type), f.imm});
  out.array(flags);
  out.value(code.frame);
  out.array(code.jumps);
  out.value(code.vectors_read), out.value(code.vectors_written), out.value(code.xmm_changed);
  out.array(std::vector<char>(code.listing.begin(), code.listing.end()));
  const u64 check = fingerprint(std::span(out.bytes).subspan(sizeof(u64)));
  std::memcpy(out.bytes.data(), &check, sizeof check);
  return std::move(out.bytes);
}

bool decode_reply(std::span<const u8> bytes, u64 request, backend::RegionCode& out, std::string& why) {
  Reader in(bytes);
  u64 check = 0, answered = 0;
  u32 exits = 0;
  std::vector<char> listing;
  why = "the translation service answered with something that is not a region";
  if (!in.value(check) || fingerprint(in.left()) != check || !in.value(answered)) return false;
  why = "the translation service answered another request";
  if (answered != request) return false;
  why = "the translation service answered with something that is not a region";
  if (!in.value(out.entry) || !in.array(out.code, kMaxCode) || !in.value(exits) || exits > backend::kMaxRegionExits)
    return false;
  out.exits.resize(exits);
  for (backend::RegionExit& e : out.exits) {
    u8 kind = 0;
    if (!in.value(kind) || !in.value(e.pc) || kind > static_cast<u8>(backend::RegionExit::Kind::Fault)) return false;
    e.kind = static_cast<backend::RegionExit::Kind>(kind);
  }
  if (!decode_faults(in, out) || !in.array(out.jumps, kMaxCode)) return false;
  if (!in.value(out.vectors_read) || !in.value(out.vectors_written) || !in.value(out.xmm_changed)) return false;
  if (!in.array(listing, kMaxCode) || !in.done()) return false;
  out.listing.assign(listing.begin(), listing.end());
  why = "the translation service answered with offsets outside the code";
  if (out.entry >= out.code.size() || out.exits.empty()) return false;
  if (!faults_inside(out)) return false;
  for (const backend::RegionJump& j : out.jumps) {
    if (j.offset > out.code.size() || out.code.size() - j.offset < 4) return false;
    if (j.exit >= out.exits.size()) return false;
  }
  why.clear();
  return true;
}

}  // namespace tiercel::service
