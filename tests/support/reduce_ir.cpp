#include "tests/support/reduce_ir.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "ir/verifier.h"

namespace tiercel::test {
namespace {

using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

bool fails_in_child(const Function& f, const std::function<bool(const Function&)>& fails) {
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(0);
    _exit(fails(f) ? 1 : 0);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  return status != 0;
}

class Reduction {
 public:
  Reduction(Function f, std::span<const ir::SlotInfo> slots, const std::function<bool(const Function&)>& fails)
      : f_(std::move(f)), slots_(slots), fails_(fails) {}

  /// The first inst stays: an Insn.
  Function run() {
    if (!fails_in_child(f_, fails_)) return {};
    jump_at_the_end();
    for (bool changed = true; changed;) {
      changed = false;
      for (u32 i = static_cast<u32>(f_.insts.size()) - 1; i-- > 1;) changed |= remove(i) || simplify(i);
    }
    return f_;
  }

 private:
  bool try_out(const Function& f) {
    if (!ir::verify(f, slots_).empty() || !fails_in_child(f, fails_)) return false;
    f_ = f;
    return true;
  }
  void jump_at_the_end() {
    Function f = f_;
    Inst jump{.op = Opcode::Jump};
    jump.imm = 4;
    f.insts.back() = jump;
    try_out(f);
  }

  /// Without inst i, whose users take an earlier value of the type.
  bool remove(u32 i) {
    const bool used = std::any_of(f_.insts.begin() + i, f_.insts.end(), [i](const Inst& inst) {
      return std::find(inst.args, inst.args + 4, Value{i}) != inst.args + 4;
    });
    if (!used) return try_out(without(i, ir::kNoValue));
    for (u32 other = i; other-- > 0;)
      if (f_.insts[other].type == f_.insts[i].type && ir::info(f_.insts[other].op).result != '-' &&
          try_out(without(i, Value{other})))
        return true;
    return false;
  }
  Function without(u32 i, Value instead) const {
    Function f = f_;
    f.insts.erase(f.insts.begin() + i);
    for (Inst& inst : f.insts)
      for (Value& v : inst.args)
        if (v == Value{i})
          v = instead;
        else if (v && v.index > i)
          --v.index;
    return f;
  }

  /// A constant or a slot's value instead of inst i.
  bool simplify(u32 i) {
    const Inst old = f_.insts[i];
    if (ir::info(old.op).result == '-' || old.type == Type::None || old.op == Opcode::Const || old.op == Opcode::Get)
      return false;
    Function f = f_;
    Inst zero{.op = Opcode::Const, .type = old.type};
    f.insts[i] = zero;
    if (try_out(f)) return true;
    for (u32 slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].type != old.type) continue;
      Inst get{.op = Opcode::Get, .type = old.type};
      get.aux = slot;
      f.insts[i] = get;
      if (try_out(f)) return true;
    }
    return false;
  }

  Function f_;
  std::span<const ir::SlotInfo> slots_;
  const std::function<bool(const Function&)>& fails_;
};

}  // namespace

Function reduce(const Function& f, std::span<const ir::SlotInfo> slots,
                const std::function<bool(const Function&)>& fails) {
  return Reduction(f, slots, fails).run();
}

}  // namespace tiercel::test
