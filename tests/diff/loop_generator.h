// Random programs of several blocks that end: loops, conditional and indirect branches, calls and returns, with random
// instructions in between.
#pragma once

#include <vector>

#include "guest/frontend.h"
#include "tests/diff/generator.h"

namespace tiercel::test {

inline constexpr u32 kTurnsRegister = 28;  // how many ways back are left

class LoopGenerator final : public Generator {
 public:
  explicit LoopGenerator(u64 seed);

  /// A program of at most kLoopSlotBytes, which goes on behind accesses that fault. Ways back cost turns.
  Sequence sequence(u64 pc, unsigned max_insns) override;

 private:
  using Label = std::size_t;
  struct Function {
    Label start;
    unsigned level;
  };
  struct Fixup {
    std::size_t at;
    Label label;
  };

  void emit(u32 word) { s_.words.push_back(word); }
  void emit_kept(u32 word);
  void branch(u32 word, Label to);
  void branch_kept(u32 word, Label to);
  Label new_label();
  void bind(Label l) { positions_[l] = s_.words.size(); }
  void resolve();

  void scope(unsigned blocks, unsigned level, Label exit);
  void function(const Function& f);
  void body();
  void access();
  bool place_access(u32& word);
  u32 address_base(bool aligned, bool computed);
  void stir();
  void spend_turn();
  void conditional(Label to);
  void terminal(const std::vector<Label>& labels, std::size_t index, unsigned level);
  void jump_to_one_of(Label a, Label b);
  void jump_by_table(const std::vector<Label>& labels, std::size_t index);
  void call(unsigned level);

  u32 insn_of(const std::vector<const arm::Row*>& rows);
  bool writes_only(u32 word, u32 allowed);
  u32 any_register() { return static_cast<u32>(below(19)); }

  std::unique_ptr<guest::Frontend> frontend_;
  std::vector<const arm::Row*> integers_, vectors_, accesses_;
  Sequence s_;
  std::vector<std::size_t> positions_;  // of labels, in words
  std::vector<Fixup> fixups_;
  std::vector<Function> functions_;
  bool faults_ = false;  // may its accesses fault?
};

}  // namespace tiercel::test
