#include "frontend-arm/a64_debug_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "frontend-arm/a64/system_registers.h"
#include "frontend-arm/a64_system_state.h"

namespace tiercel::arm {
namespace {

// GDB manual, "AArch64 Features": the registers of its features in their order.
enum Number : u32 { kX0 = 0, kFp = 29, kSp = 31, kPc = 32, kCpsr = 33, kV0 = 34, kFpsr = 66, kFpcr = 67, kTpidr = 68 };
constexpr u32 kUserCount = kTpidr + 1;
constexpr std::array<u32, 3> kExpedited = {kFp, kSp, kPc};

constexpr u32 kFpcrBits = 0x07c0'0000;  // AHP, DN, FZ, RMode

std::string core_feature() {
  std::string out = "<feature name=\"org.gnu.gdb.aarch64.core\">\n";
  for (u32 i = 0; i < 31; ++i) out += fmt::format("<reg name=\"x{}\" bitsize=\"64\" regnum=\"{}\"/>\n", i, kX0 + i);
  out +=
      "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>\n"
      "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>\n"
      "<flags id=\"cpsr_flags\" size=\"4\">\n";
  struct Flag {
    const char* name;
    u32 bit;
  };
  constexpr Flag kFlags[] = {{"SP", 0},  {"EL", 2},   {"F", 6},    {"I", 7},  {"A", 8},  {"D", 9},  {"IL", 20},
                             {"SS", 21}, {"PAN", 22}, {"UAO", 23}, {"V", 28}, {"C", 29}, {"Z", 30}, {"N", 31}};
  for (const Flag& f : kFlags)
    out += fmt::format("<field name=\"{}\" start=\"{}\" end=\"{}\"/>\n", f.name, f.bit, f.name[0] == 'E' ? 3 : f.bit);
  return out + "</flags>\n<reg name=\"cpsr\" bitsize=\"32\" type=\"cpsr_flags\"/>\n</feature>\n";
}

std::string fpu_feature() {
  struct Vector {
    const char* id;
    const char* type;
    u32 count;
  };
  constexpr Vector kVectors[] = {{"v2d", "ieee_double", 2}, {"v2u", "uint64", 2}, {"v2i", "int64", 2},
                                 {"v4f", "ieee_single", 4}, {"v4u", "uint32", 4}, {"v4i", "int32", 4},
                                 {"v8f", "ieee_half", 8},   {"v8u", "uint16", 8}, {"v8i", "int16", 8},
                                 {"v16u", "uint8", 16},     {"v16i", "int8", 16}, {"v1u", "uint128", 1},
                                 {"v1i", "int128", 1}};
  std::string out = "<feature name=\"org.gnu.gdb.aarch64.fpu\">\n";
  for (const Vector& v : kVectors)
    out += fmt::format("<vector id=\"{}\" type=\"{}\" count=\"{}\"/>\n", v.id, v.type, v.count);
  out +=
      "<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/><field name=\"u\" type=\"v2u\"/>"
      "<field name=\"s\" type=\"v2i\"/></union>\n"
      "<union id=\"vns\"><field name=\"f\" type=\"v4f\"/><field name=\"u\" type=\"v4u\"/>"
      "<field name=\"s\" type=\"v4i\"/></union>\n"
      "<union id=\"vnh\"><field name=\"f\" type=\"v8f\"/><field name=\"u\" type=\"v8u\"/>"
      "<field name=\"s\" type=\"v8i\"/></union>\n"
      "<union id=\"vnb\"><field name=\"u\" type=\"v16u\"/><field name=\"s\" type=\"v16i\"/></union>\n"
      "<union id=\"vnq\"><field name=\"u\" type=\"v1u\"/><field name=\"s\" type=\"v1i\"/></union>\n"
      "<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/><field name=\"s\" type=\"vns\"/>"
      "<field name=\"h\" type=\"vnh\"/><field name=\"b\" type=\"vnb\"/><field name=\"q\" type=\"vnq\"/></union>\n";
  for (u32 i = 0; i < 32; ++i)
    out += fmt::format("<reg name=\"v{}\" bitsize=\"128\" type=\"aarch64v\" regnum=\"{}\"/>\n", i, kV0 + i);
  return out +
         "<reg name=\"fpsr\" bitsize=\"32\"/>\n<reg name=\"fpcr\" bitsize=\"32\"/>\n</feature>\n"
         "<feature name=\"org.gnu.gdb.aarch64.tls\">\n<reg name=\"tpidr\" bitsize=\"64\" type=\"data_ptr\"/>\n"
         "</feature>\n";
}

std::string describe(const std::string& more) {
  return "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
         "<architecture>aarch64</architecture>\n" +
         core_feature() + fpu_feature() + more + "</target>\n";
}

template <typename T>
std::size_t put(std::span<u8> out, const T& value) {
  if (out.size() < sizeof value) return 0;
  std::memcpy(out.data(), &value, sizeof value);
  return sizeof value;
}
template <typename T>
bool take(std::span<const u8> in, T& value) {
  if (in.size() != sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  return true;
}

class UserRegisters : public guest::DebugRegisters {
 public:
  UserRegisters() : description_(describe({})) {}
  std::string_view description() const override { return description_; }
  u32 count() const override { return kUserCount; }
  std::span<const u32> expedited() const override { return kExpedited; }

  std::size_t read(const void* state, u32 fp_status, u32 number, std::span<u8> out) const override {
    const auto& s = *static_cast<const A64State*>(state);
    if (number < kSp) return put(out, s.x[number]);
    if (number >= kV0 && number < kFpsr) return put(out, s.v[number - kV0]);
    switch (number) {
      case kSp:
        return put(out, s.sp);
      case kPc:
        return put(out, s.pc);
      case kCpsr:
        return put(out, cpsr(s));
      case kFpsr:
        return put(out, read_fpsr(s, fp_status));
      case kFpcr:
        return put(out, s.fpcr);
      case kTpidr:
        return put(out, s.tpidr);
      default:
        return 0;
    }
  }

  bool write(void* state, u32& fp_status, u32 number, std::span<const u8> value) const override {
    auto& s = *static_cast<A64State*>(state);
    if (number < kSp) return take(value, s.x[number]);
    if (number >= kV0 && number < kFpsr) return take(value, s.v[number - kV0]);
    u32 word = 0;
    switch (number) {
      case kSp:
        return take(value, s.sp);
      case kPc:
        return take(value, s.pc);
      case kTpidr:
        return take(value, s.tpidr);
      case kCpsr:  // the flags; the rest is not for debuggers
        if (!take(value, word)) return false;
        write_nzcv(s, word);
        return true;
      case kFpsr:
        if (!take(value, word)) return false;
        fp_status = write_fpsr(s, word);
        return true;
      case kFpcr:
        if (!take(value, word)) return false;
        s.fpcr = word & kFpcrBits;
        return true;
      default:
        return false;
    }
  }

 protected:
  explicit UserRegisters(std::string description) : description_(std::move(description)) {}
  virtual u32 cpsr(const A64State& s) const { return read_nzcv(s); }

 private:
  const std::string description_;
};

class SystemRegisters final : public UserRegisters {
 public:
  SystemRegisters() : UserRegisters(describe(system_feature())) {}
  u32 count() const override { return kUserCount + static_cast<u32>(system_registers().size()); }

  std::size_t read(const void* state, u32 fp_status, u32 number, std::span<u8> out) const override {
    if (number < kUserCount) return UserRegisters::read(state, fp_status, number, out);
    if (number >= count()) return 0;
    return put(out, system_registers()[number - kUserCount].in(system_state(*static_cast<const A64State*>(state))));
  }

 private:
  static const A64SystemState& system_state(const A64State& s) { return static_cast<const A64SystemState&>(s); }
  u32 cpsr(const A64State& s) const override { return read_nzcv(s) | system_state(s).daif | system_state(s).pstate; }
  static std::string system_feature() {
    std::string out = "<feature name=\"tiercel.aarch64.system\">\n";
    for (const SystemRegister& r : system_registers()) {
      std::string name(r.name);
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
      out += fmt::format("<reg name=\"{}\" bitsize=\"64\" type=\"int\" group=\"system\" save-restore=\"no\"/>\n", name);
    }
    return out + "</feature>\n";
  }
};

}  // namespace

const guest::DebugRegisters& a64_debug_registers() {
  static const UserRegisters registers;
  return registers;
}

const guest::DebugRegisters& a64_system_debug_registers() {
  static const SystemRegisters registers;
  return registers;
}

}  // namespace tiercel::arm
