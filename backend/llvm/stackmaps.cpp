#include "backend/llvm/stackmaps.h"

#include <llvm/CodeGen/MachineFrameInfo.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/Object/StackMapParser.h>

#include <algorithm>

namespace tiercel::backend::region {
namespace {

using Parser = llvm::StackMapParser<llvm::endianness::little>;

/// DWARF numbers of x86-64 (psABI, "DWARF Register Number Mapping") as ValuePlace::where; kConstant: none of them.
u8 host_register(unsigned dwarf) {
  constexpr u8 kGeneral[] = {0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr unsigned kXmm0 = 17, kXmm16 = 67;
  if (dwarf < std::size(kGeneral)) return kGeneral[dwarf];
  if (dwarf >= kXmm0 && dwarf < kXmm0 + 16) return static_cast<u8>(ValuePlace::kVector + dwarf - kXmm0);
  if (dwarf >= kXmm16 && dwarf < kXmm16 + 16) return static_cast<u8>(ValuePlace::kVector + 16 + dwarf - kXmm16);
  return ValuePlace::kConstant;
}

class Reader {
 public:
  Reader(const Parser& parser, const std::vector<RegionStop>& stops, RegionCode& out)
      : parser_(parser), stops_(stops), out_(out) {}

  bool run() {
    for (const auto& record : parser_.records())
      if (!add(record)) return false;
    return true;
  }

 private:
  using Location = Parser::LocationAccessor;

  bool add(const Parser::RecordAccessor& record) {
    if (record.getID() >= stops_.size()) return false;
    const RegionStop& stop = stops_[record.getID()];
    if (record.getNumLocations() != stop.what.size()) return false;
    const auto first = static_cast<u32>(out_.places.size());
    for (u16 n = 0; n < record.getNumLocations(); ++n) {
      ValuePlace place{.what = stop.what[n]};
      if (!locate(record.getLocation(n), place)) return false;
      out_.places.push_back(place);
    }
    const u32 at = out_.entry + record.getInstructionOffset();
    if (at >= out_.code.size() || out_.code[at] != RegionFault::kHlt) return false;
    out_.faults.push_back({.host_offset = at,
                           .exit = stop.exit,
                           .first = first,
                           .count = record.getNumLocations(),
                           .flags = static_cast<u16>(stop.flags)});
    return true;
  }

  bool locate(const Location& location, ValuePlace& place) {
    switch (location.getKind()) {
      case Parser::LocationKind::Register:
        place.where = host_register(location.getDwarfRegNum());
        return place.where != ValuePlace::kConstant;
      case Parser::LocationKind::Indirect: {
        constexpr unsigned kRsp = 7;
        const s32 offset = location.getOffset();
        if (location.getDwarfRegNum() != kRsp || offset < 0 || offset > INT16_MAX) return false;
        place.where = ValuePlace::kStack;
        place.at = static_cast<s16>(offset);
        return true;
      }
      case Parser::LocationKind::Constant:
        return constant(static_cast<u64>(static_cast<s64>(static_cast<s32>(location.getSmallConstant()))), place);
      case Parser::LocationKind::ConstantIndex:
        return constant(parser_.getConstant(location.getConstantIndex()).getValue(), place);
      default:
        return false;
    }
  }

  bool constant(u64 value, ValuePlace& place) {
    const auto it = std::find(out_.constants.begin(), out_.constants.end(), value);
    const auto index = it - out_.constants.begin();
    if (index > INT16_MAX) return false;
    if (it == out_.constants.end()) out_.constants.push_back(value);
    place.where = ValuePlace::kConstant;
    place.at = static_cast<s16>(index);
    return true;
  }

  const Parser& parser_;
  const std::vector<RegionStop>& stops_;
  RegionCode& out_;
};

class Frameless final : public llvm::MachineFunctionPass {
 public:
  Frameless() : MachineFunctionPass(id) {}
  bool runOnMachineFunction(llvm::MachineFunction& function) override {
    function.getFrameInfo().setHasStackMap(false);
    return false;
  }

 private:
  static inline char id = 0;
};

}  // namespace

llvm::Pass* make_frameless() {
  return new Frameless;
}

bool read_stackmaps(llvm::ArrayRef<u8> section, const std::vector<RegionStop>& stops, RegionCode& out,
                    std::string& why) {
  if (section.empty()) return true;
  why = "the compiled region keeps a guest value where it cannot be found";
  if (llvm::Error e = Parser::validateHeader(section)) {
    llvm::consumeError(std::move(e));
    return false;
  }
  const Parser parser(section);
  if (parser.getNumFunctions() != 1 || parser.getFunction(0).getStackSize() > INT32_MAX) return false;
  out.frame = static_cast<u32>(parser.getFunction(0).getStackSize());
  if (!Reader(parser, stops, out).run()) return false;
  why.clear();
  return true;
}

}  // namespace tiercel::backend::region
