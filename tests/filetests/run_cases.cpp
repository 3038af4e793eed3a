#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <sstream>

#include "base/check.h"
#include "ir/parser.h"
#include "ir/passes/pass.h"
#include "ir/printer.h"
#include "ir/text_names.h"
#include "ir/verifier.h"
#include "tests/filetests/cases.h"
#include "tests/support/machine.h"
#include "tests/support/x64_tier.h"

namespace tiercel::test {
namespace {

struct Assignment {
  std::string name;  // "x0", "m32", "pc"
  u64 address = 0;   // of m8..m64
  U128 value;
  std::string word;  // the value's text
};

bool parse_number(std::string_view s, U128& out) {
  int base = 10;
  if (s.starts_with("0x")) base = 16;
  if (s.starts_with("0b")) base = 2;
  if (base != 10) s.remove_prefix(2);
  out = {};
  if (base == 16 && s.size() > 16) {
    if (!parse_number(fmt::format("0x{}", s.substr(0, s.size() - 16)), out)) return false;
    out.hi = out.lo;
    s.remove_prefix(s.size() - 16);
  }
  const auto r = std::from_chars(s.data(), s.data() + s.size(), out.lo, base);
  return r.ec == std::errc() && r.ptr == s.data() + s.size();
}

/// "m32[0x10000]=5", "x0=1", "exit=syscall"
bool parse_assignment(const std::string& text, Assignment& a) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return false;
  a.name = text.substr(0, equals);
  a.word = text.substr(equals + 1);
  if (const auto bracket = a.name.find('['); bracket != std::string::npos) {
    U128 address;
    if (a.name.back() != ']' ||
        !parse_number(std::string_view(a.name).substr(bracket + 1, a.name.size() - bracket - 2), address))
      return false;
    a.address = address.lo;
    a.name.resize(bracket);
  }
  const bool negative = a.word.starts_with('-');
  if (!parse_number(std::string_view(a.word).substr(negative ? 1 : 0), a.value))
    return a.name == "exit" || a.name == "round";
  if (negative) a.value = {0 - a.value.lo, 0};
  return true;
}

bool parse_list(std::string_view text, std::vector<Assignment>& out, std::string& bad) {
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) {
    Assignment a;
    if (!parse_assignment(word, a)) {
      bad = word;
      return false;
    }
    out.push_back(a);
  }
  return true;
}

class RunCase {
 public:
  RunCase(Machine& m, const Directive& d) : m_(m), directive_(d) {
    const auto arrow = d.text.find("->");
    std::string bad;
    if (arrow == std::string::npos)
      complain("'->' is missing");
    else if (!parse_list(std::string_view(d.text).substr(0, arrow), inputs_, bad) ||
             !parse_list(std::string_view(d.text).substr(arrow + 2), expected_, bad))
      complain(fmt::format("'{}' is not understood", bad));
  }

  template <typename Tier>
  std::vector<std::string> run(std::string_view tier_name, const Tier& tier) {
    tier_ = tier_name;
    if (!complaints_.empty()) return complaints_;
    m_.reset();
    for (const Assignment& a : inputs_) put(a);
    const u32 status_before = m_.fp_status();
    const Outcome o = tier(m_);
    bool faults = false, misaligned = false, leaves = false, status = false;
    for (const Assignment& a : expected_) {
      faults |= a.name == "fault";
      misaligned |= a.name == "misaligned";
      leaves |= a.name == "exit";
      status |= a.name == "fpstatus";
      expect(a, o);
    }
    if (o.reason == backend::Reason::Fault && !faults) complain(fmt::format("fault at {:#x}", o.fault_address));
    if (o.reason == backend::Reason::Misaligned && !misaligned) complain(fmt::format("misaligned {:#x}", o.exit_arg));
    if (o.reason >= backend::Reason::kExitBase && !leaves) complain("an exit");
    if (!status) same("fpstatus", U128{m_.fp_status(), 0}, U128{status_before, 0});
    return complaints_;
  }

 private:
  void complain(std::string what) {
    complaints_.push_back(fmt::format("line {}: {}: {}", directive_.line, tier_, what));
  }
  void same(std::string_view name, const U128& got, const U128& wanted) {
    if (!(got == wanted))
      complain(
          fmt::format("{} is 0x{:x}_{:016x}, expected 0x{:x}_{:016x}", name, got.hi, got.lo, wanted.hi, wanted.lo));
  }

  const ir::SlotInfo* slot(std::string_view name, ir::SlotId& id) const {
    const auto slots = m_.layout().slots;
    for (id = 0; id < slots.size(); ++id)
      if (slots[id].name == name) return &slots[id];
    return nullptr;
  }
  /// The bytes of m8..m64 at `address`; empty if there is no such memory.
  std::span<u8> bytes(const Assignment& a) {
    const u64 offset = a.address - Machine::kMemoryStart;
    const std::size_t size = a.name == "m8" ? 1 : a.name == "m16" ? 2 : a.name == "m32" ? 4 : a.name == "m64" ? 8 : 0;
    return size != 0 && offset <= Machine::kMemorySize - size ? m_.memory().subspan(offset, size) : std::span<u8>{};
  }

  void put(const Assignment& a) {
    ir::SlotId id;
    if (const ir::SlotInfo* s = slot(a.name, id)) {
      const bool flags = s->type == ir::Type::Flags;
      m_.set_slot(id, flags ? U128{ir::flags_from_nzcv(static_cast<u32>(a.value.lo)), 0} : a.value);
    } else if (a.name == "round") {
      m_.set_rounding(static_cast<ir::Round>(ir::text::find(ir::text::kRounds, a.word).value_or(0)));
    } else if (a.name == "fpstatus") {
      m_.set_fp_status(static_cast<u32>(a.value.lo));
    } else if (const auto b = bytes(a); !b.empty()) {
      std::memcpy(b.data(), &a.value, b.size());
    } else {
      complain(fmt::format("'{}' is not understood", a.name));
    }
  }

  void expect(const Assignment& a, const Outcome& o) {
    ir::SlotId id;
    if (const ir::SlotInfo* s = slot(a.name, id)) {
      U128 got = m_.slot(id);
      if (s->type == ir::Type::Flags) got = {ir::nzcv_from_flags(got.lo), 0};
      same(a.name, got, a.value);
    } else if (a.name == "pc") {
      same("pc", {o.pc, 0}, a.value);
    } else if (a.name == "fpstatus") {
      same("fpstatus", {m_.fp_status(), 0}, a.value);
    } else if (a.name == "fault") {
      if (o.reason != backend::Reason::Fault) complain("no fault");
      same("fault", {o.fault_address, 0}, a.value);
    } else if (a.name == "misaligned") {
      if (o.reason != backend::Reason::Misaligned) complain("not misaligned");
      same("misaligned", {o.exit_arg, 0}, a.value);
    } else if (a.name == "exit") {
      const auto kind = ir::text::find(ir::text::kExits, a.word);
      if (!kind || o.reason != backend::reason_for(static_cast<ir::ExitKind>(*kind))) complain("no exit " + a.word);
    } else if (a.name == "payload") {
      same("payload", {o.exit_payload, 0}, a.value);
    } else if (a.name == "arg") {
      same("arg", {o.exit_arg, 0}, a.value);
    } else if (const auto b = bytes(a); !b.empty()) {
      U128 got;
      std::memcpy(&got, b.data(), b.size());
      same(fmt::format("{}[{:#x}]", a.name, a.address), got, a.value);
    } else {
      complain(fmt::format("'{}' is not understood", a.name));
    }
  }

  Machine& m_;
  const Directive& directive_;
  std::string tier_ = "directive";
  std::vector<Assignment> inputs_, expected_;
  std::vector<std::string> complaints_;
};

/// As the fast tier would have it: after its passes.
std::unique_ptr<X64Tier> compiled(const ir::Function& f, const guest::Layout& layout) {
  ir::Function optimised = f;
  for (const ir::Pass& pass : ir::fast_tier_passes()) pass.run(optimised, {layout.slots});
  auto tier = std::make_unique<X64Tier>(layout, backend::HostFeatures::detect());
  tier->compile(optimised);
  return tier;
}

}  // namespace

std::vector<std::string> run_run_case(const TestFile& file, const Case& c, guest::Frontend& frontend) {
  const auto slots = frontend.layout().slots;
  auto f = ir::parse(c.text, slots);
  if (!f) return {f.error().message};
  if (auto messages = ir::verify(*f, slots); !messages.empty()) return messages;
  Machine machine(frontend);
  const auto x64 = compiled(*f, frontend.layout());
  std::vector<std::string> complaints;
  const auto add = [&](std::vector<std::string> more) {
    complaints.insert(complaints.end(), more.begin(), more.end());
  };
  for (const Directive& d : c.directives) {
    if (d.kind != "run") continue;
    for (const std::string& tier : file.options) {
      if (tier == "interp")
        add(RunCase(machine, d).run(tier, [&](Machine& m) { return m.interpret(*f); }));
      else if (tier == "x64")
        add(RunCase(machine, d).run(tier, [&](Machine& m) { return x64->run(m); }));
      else
        complaints.push_back("there is no tier '" + tier + "'");
    }
  }
  return complaints;
}

}  // namespace tiercel::test
