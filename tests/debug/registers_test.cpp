// The registers as a debugger sees them.
#include "frontend-arm/a64_debug_registers.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "debug/gdb/target.h"
#include "frontend-arm/a64_system_state.h"

namespace tiercel::arm {
namespace {

using guest::DebugRegisters;

constexpr u32 kCpsr = 33, kV0 = 34, kFpsr = 66, kFpcr = 67, kFirstSystem = 69;

u64 read_word(const DebugRegisters& registers, const void* state, u32 number, u32 fp_status = 0) {
  std::array<u8, debug::gdb::Target::kMaxRegister> bytes = {};
  const std::size_t size = registers.read(state, fp_status, number, bytes);
  EXPECT_TRUE(size == 4 || size == 8 || size == 16) << number;
  u64 value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool write_word(const DebugRegisters& registers, void* state, u32 number, u32 value, u32* fp_status = nullptr) {
  u32 unused = 0;
  std::array<u8, 4> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  return registers.write(state, fp_status ? *fp_status : unused, number, bytes);
}

u32 described(const DebugRegisters& registers) {
  u32 found = 0;
  const std::string_view xml = registers.description();
  for (std::size_t at = xml.find("<reg "); at != xml.npos; at = xml.find("<reg ", at + 1)) ++found;
  return found;
}

TEST(DebugRegisters, AreTheDescribedOnes) {
  EXPECT_EQ(a64_debug_registers().count(), 69u);
  EXPECT_EQ(described(a64_debug_registers()), 69u);
  EXPECT_EQ(described(a64_system_debug_registers()), a64_system_debug_registers().count());
  const A64SystemState state;
  for (u32 i = 0; i < a64_system_debug_registers().count(); ++i) read_word(a64_system_debug_registers(), &state, i);
  std::array<u8, 64> bytes;
  EXPECT_EQ(a64_debug_registers().read(&state, 0, 69, bytes), 0u);
  EXPECT_EQ(a64_debug_registers().read(&state, 0, kV0, std::span(bytes).first(15)), 0u);
}

TEST(DebugRegisters, RoundTrip) {
  const DebugRegisters& registers = a64_debug_registers();
  A64State written, read_back = {};
  u32 status = 0, status_back = 0;

  for (u32 i = 0; i < 31; ++i) written.x[i] = 0x0123456789abcdef * (i + 1);
  for (u32 i = 0; i < 32; ++i) written.v[i] = {u64{i} << 40, ~u64{i}};
  written.sp = 0x7ff0;
  written.pc = 0x4000;
  written.tpidr = 0x9000;
  written.fpcr = 0x03000000;
  write_nzcv(written, 0xa0000000);
  status = write_fpsr(written, 0x08000011);
  for (u32 i = 0; i < registers.count(); ++i) {
    std::array<u8, 64> bytes;
    const std::size_t size = registers.read(&written, status, i, bytes);
    EXPECT_TRUE(registers.write(&read_back, status_back, i, std::span(bytes).first(size))) << i;
    EXPECT_FALSE(registers.write(&read_back, status_back, i, std::span(bytes).first(size - 1))) << i;
  }
  EXPECT_EQ(std::memcmp(written.x, read_back.x, sizeof written.x), 0);
  EXPECT_EQ(std::memcmp(written.v, read_back.v, sizeof written.v), 0);
  EXPECT_EQ(read_back.sp, 0x7ff0u);
  EXPECT_EQ(read_back.pc, 0x4000u);
  EXPECT_EQ(read_back.tpidr, 0x9000u);
  EXPECT_EQ(read_nzcv(read_back), 0xa0000000u);
  EXPECT_EQ(read_fpsr(read_back, status_back), 0x08000011u);
}

TEST(DebugRegisters, OnlyBitsThatExist) {
  A64SystemState state;
  state.esr_el1 = 0x96000045;
  state.daif = pstate::kDaif;
  const DebugRegisters& registers = a64_system_debug_registers();
  EXPECT_TRUE(write_word(registers, &state, kFpcr, ~0u));
  EXPECT_EQ(state.fpcr, 0x07c00000u);
  EXPECT_TRUE(write_word(registers, &state, kCpsr, ~0u));
  EXPECT_EQ(read_word(registers, &state, kCpsr), 0xf00003c5u);  // EL1 with its own SP, all masked
  EXPECT_EQ(read_word(registers, &state, kFpsr, 1), 1u);
  bool found = false;
  for (u32 i = kFirstSystem; i < registers.count(); ++i) found |= read_word(registers, &state, i) == 0x96000045;
  EXPECT_TRUE(found);
  EXPECT_NE(registers.description().find("name=\"esr_el1\""), std::string_view::npos);
  EXPECT_FALSE(write_word(registers, &state, kFirstSystem, 0));
}

}  // namespace
}  // namespace tiercel::arm
