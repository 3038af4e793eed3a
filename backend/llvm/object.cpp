#include "backend/llvm/object.h"

#include <fmt/format.h>
#include <llvm/Object/ELFObjectFile.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/bits.h"

namespace tiercel::backend::region {
namespace {

using llvm::object::SectionRef;
using llvm::object::SymbolRef;

constexpr llvm::StringLiteral kFaults = ".tiercel.faults", kStackmaps = ".llvm_stackmaps";

class Linker {
 public:
  Linker(const llvm::object::ELF64LEObjectFile& object, const std::vector<RegionStop>& stops, RegionCode& out,
         std::string& why)
      : object_(object), stops_(stops), out_(out), why_(why) {}

  bool run() {
    if (!lay_out() || !find_entry()) return false;
    for (const SectionRef& s : object_.sections())
      if (!relocate(s)) return false;
    return read_faults();
  }

 private:
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  static u64 flags(const SectionRef& s) { return llvm::object::ELFSectionRef(s).getFlags(); }

  /// Code first, then constants; the tables of faults lie apart.
  bool lay_out() {
    for (const bool code : {true, false})
      for (const SectionRef& s : object_.sections()) {
        if (!(flags(s) & llvm::ELF::SHF_ALLOC) || s.getSize() == 0 || s.isText() != code) continue;
        if (flags(s) & llvm::ELF::SHF_WRITE) return refuse("the compiled region wants data of its own");
        auto name = s.getName();
        auto contents = s.getContents();
        if (!name || !contents) return refuse("the compiled region cannot be read");
        std::vector<u8>& to = *name == kFaults ? faults_ : out_.code;
        if (*name == ".eh_frame") continue;
        if (*name == kStackmaps) {
          stackmaps_.assign(contents->bytes_begin(), contents->bytes_end());
          continue;
        }
        const u64 at = align_up(to.size(), std::max<u64>(s.getAlignment().value(), 1));
        to.resize(at, code ? 0xcc : 0);
        to.insert(to.end(), contents->bytes_begin(), contents->bytes_end());
        places_[s.getIndex()] = {&to, at};
      }
    return true;
  }

  /// Where a symbol of ours lies in out_.code.
  bool address(const SymbolRef& symbol, u64& at) {
    auto section = symbol.getSection();
    auto value = symbol.getValue();
    if (!section || !value) return refuse("the compiled region has a bad symbol");
    if (*section == object_.section_end()) {
      auto name = symbol.getName();
      return refuse(fmt::format("the compiled region calls {}", name ? name->str() : "something"));
    }
    const auto place = places_.find((*section)->getIndex());
    if (place == places_.end() || place->second.bytes != &out_.code)
      return refuse("the compiled region refers to a section that is not part of it");
    at = place->second.at + *value;
    return true;
  }

  bool find_entry() {
    for (const SymbolRef& s : object_.symbols()) {
      auto name = s.getName();
      // The module's file symbol has the same name.
      if (!name || *name != "region" || llvm::object::ELFSymbolRef(s).getELFType() != llvm::ELF::STT_FUNC) continue;
      u64 at = 0;
      if (!address(s, at)) return false;
      out_.entry = static_cast<u32>(at);
      return true;
    }
    return refuse("the compiled region has no entry");
  }

  bool relocate(const SectionRef& relocations) {
    auto target = relocations.getRelocatedSection();
    if (!target || *target == object_.section_end()) return true;
    const auto place = places_.find((*target)->getIndex());
    if (place == places_.end()) return true;  // of a section that is left out
    for (const auto& r : relocations.relocations())
      if (!apply(r, place->second)) return false;
    return true;
  }

  struct Place {
    std::vector<u8>* bytes;
    u64 at;
  };

  bool apply(const llvm::object::RelocationRef& r, const Place& place) {
    auto addend = llvm::object::ELFRelocationRef(r).getAddend();
    u64 symbol = 0;
    if (addend && r.getSymbol() != object_.symbol_end() && leaves(*r.getSymbol())) return add_jump(r, *addend, place);
    if (!addend || r.getSymbol() == object_.symbol_end() || !address(*r.getSymbol(), symbol))
      return why_.empty() ? refuse("the compiled region has a bad relocation") : false;
    if (r.getType() != llvm::ELF::R_X86_64_PC32 && r.getType() != llvm::ELF::R_X86_64_PLT32)
      return refuse(fmt::format("the compiled region needs relocation {}", r.getType()));
    const u64 at = place.at + r.getOffset();
    if (at + 4 > place.bytes->size()) return refuse("the compiled region has a relocation outside of itself");
    // In the table of faults the distance counts from the start of the code.
    const u64 from = place.bytes == &out_.code ? at : 0;
    auto value = static_cast<u32>(symbol + static_cast<u64>(*addend) - from);
    std::memcpy(place.bytes->data() + at, &value, 4);
    return true;
  }

  static bool leaves(const SymbolRef& symbol) {
    auto name = symbol.getName();
    return name && name->starts_with(kExitPrefix);
  }

  /// A jump to a way out, which is not here.
  bool add_jump(const llvm::object::RelocationRef& r, s64 addend, const Place& place) {
    auto name = r.getSymbol()->getName();
    RegionJump jump{static_cast<u32>(place.at + r.getOffset()), 0};
    const bool known = !name->drop_front(kExitPrefix.size()).getAsInteger(10, jump.exit);
    if (!known || r.getType() != llvm::ELF::R_X86_64_PLT32 || addend != -4 || place.bytes != &out_.code ||
        jump.offset + u64{4} > out_.code.size())
      return refuse("the compiled region leaves in a strange way");
    out_.jumps.push_back(jump);
    return true;
  }

  bool read_faults() {
    for (std::size_t at = 0; at + 8 <= faults_.size(); at += 8) {
      RegionFault f;
      std::memcpy(&f.host_offset, faults_.data() + at, 4);
      std::memcpy(&f.landing_offset, faults_.data() + at + 4, 4);
      if (f.host_offset >= out_.code.size() || f.landing_offset >= out_.code.size())
        return refuse("the compiled region has a fault outside of itself");
      out_.faults.push_back(f);
    }
    if (!read_stackmaps(stackmaps_, stops_, out_, why_)) return false;
    std::sort(out_.faults.begin(), out_.faults.end(),
              [](const RegionFault& a, const RegionFault& b) { return a.host_offset < b.host_offset; });
    return true;
  }

  const llvm::object::ELF64LEObjectFile& object_;
  const std::vector<RegionStop>& stops_;
  RegionCode& out_;
  std::string& why_;
  std::vector<u8> faults_, stackmaps_;
  std::map<u64, Place> places_;  // by section index
};

}  // namespace

bool link_object(llvm::StringRef bytes, const std::vector<RegionStop>& stops, RegionCode& out, std::string& why) {
  auto object = llvm::object::ELF64LEObjectFile::create(llvm::MemoryBufferRef(bytes, "region"));
  if (!object) {
    why = "the compiled region is no object: " + llvm::toString(object.takeError());
    return false;
  }
  return Linker(*object, stops, out, why).run();
}

}  // namespace tiercel::backend::region
