// Random Functions over every opcode: what one opcode needs follows from its row in opcodes.def and from the verifier.
#pragma once

#include <array>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "ir/function.h"
#include "tests/support/op_forms.h"

namespace tiercel::test {

/// An opcode that no random function holds, and why.
struct Excluded {
  ir::Opcode op;
  const char* reason;
};

struct RandomIrOptions {
  std::span<const ir::SlotInfo> slots;
  u64 memory = 0;               // guest address of kRandomIrMemory bytes that functions may use; a multiple of that
  std::span<const u8> helpers;  // how many operands each looks at
  std::span<const Excluded> excluded;
};

inline constexpr u64 kRandomIrMemory = 4096;

/// Bits of GetFpStatus that a function uses. Hosts that look for tiny results after rounding lack some Underflows
/// (underflow.h), which must not spread into other values.
inline constexpr u32 kComparedFpStatus = ir::fpstatus::kInvalid | ir::fpstatus::kDivByZero | ir::fpstatus::kOverflow |
                                         ir::fpstatus::kInexact | ir::fpstatus::kInputDenormal;

class RandomIr {
 public:
  explicit RandomIr(const RandomIrOptions& options);

  /// The same seed gives the same functions and numbers.
  void seed(u64 seed) { random_.seed(seed); }
  /// A sound function of at least `length` insts at kPc.
  ir::Function make(unsigned length);
  static constexpr u64 kPc = 0x1000;

  u32 pick(u32 n) { return static_cast<u32>(random_() % n); }
  /// Integers near the ends of their ranges, and others.
  u64 integer();
  /// Lanes of one width, each random or special: numbers, infinities, NaNs, subnormals.
  U128 vector();
  /// Fills the slots of a state block.
  void fill(void* state);

 private:
  enum Kind : u8 { kInteger, kFlags, kVector, kFloat, kMemory, kState, kTerminal, kEnvironment };
  static constexpr unsigned kKinds = 8;
  static Kind kind_of(ir::Opcode op);

  ir::Value add(const ir::Inst& inst);
  ir::Value add(ir::Opcode op, ir::Type type, std::initializer_list<ir::Value> args, u64 imm = 0);
  ir::Value any(ir::Type type);
  ir::Value fresh(ir::Type type);
  ir::Value constant(ir::Type type, u64 value);
  void step();
  void arithmetic_with_flags();
  ir::Value emit(ir::Opcode op);
  const OpForm& choose_form(ir::Opcode op);
  u32 choose_slot(ir::Type type);
  void set_numbers(ir::Inst& inst, const OpForm& form);
  void set_operands(ir::Inst& inst, const OpForm& form);
  void set_address(ir::Inst& inst, unsigned base);
  void keep(ir::Value v);

  RandomIrOptions options_;
  std::mt19937_64 random_;
  std::array<std::vector<OpForm>, ir::kOpcodeCount> forms_;
  std::array<std::vector<ir::Opcode>, kKinds> opcodes_;
  std::array<std::vector<u32>, static_cast<unsigned>(ir::Type::Flags) + 1> slots_for_;  // by type
  std::vector<ir::Opcode> makers_of_i1_;
  // Of the function being made.
  ir::Function f_;
  std::array<u32, kKinds> weights_{};
  std::vector<bool> favourite_;  // slots
};

/// The opcodes that are neither excluded nor in any of so many functions.
std::vector<std::string_view> opcodes_never_made(const RandomIrOptions& options, unsigned functions);

}  // namespace tiercel::test
