#include "ir/region.h"

#include <map>

namespace tiercel::ir {
namespace {

/// Where control may go from each block and stay inside.
std::vector<std::vector<u32>> successors(const Region& region) {
  std::map<u64, u32> at;
  for (u32 i = 0; i < region.blocks.size(); ++i) at.emplace(region.blocks[i].pc, i);
  std::vector<std::vector<u32>> all(region.blocks.size());
  for (u32 i = 0; i < region.blocks.size(); ++i) {
    const Function& f = region.blocks[i];
    const Inst& last = f.insts.back();
    const auto add = [&](u64 pc) {
      if (const auto it = at.find(pc); it != at.end()) all[i].push_back(it->second);
    };
    if (last.op == Opcode::Jump || last.op == Opcode::Call || last.op == Opcode::Branch) add(last.imm);
    if (last.op == Opcode::Branch) add(f.constant(last.aux).lo);
  }
  for (const IndirectEdge& e : region.edges)
    if (const auto it = at.find(e.to); it != at.end()) all[e.from].push_back(it->second);
  return all;
}

}  // namespace

void move_pcs(Function& f, u64 distance) {
  f.pc += distance;
  f.end_pc += distance;
  f.origin -= distance;
  for (Inst& inst : f.insts) {
    const Attr attr = info(inst.op).attr;
    if (attr == Attr::Pc || attr == Attr::Pc2 || inst.op == Opcode::CodeAddress) inst.imm += distance;
    if (attr == Attr::Pc2 || attr == Attr::PcRet) inst.aux = f.add_constant({f.constant(inst.aux).lo + distance, 0});
    if (attr == Attr::Exit)
      inst.aux = (inst.aux & 0xff) | f.add_constant({f.constant(inst.aux >> 8).lo + distance, 0}) << 8;
  }
}

/// Depth first: an edge to a block that is still being visited closes a cycle, and every cycle has such an edge.
std::set<std::pair<u32, u64>> closing_edges(const Region& region) {
  enum class Visit : u8 { Not, Open, Done };
  const std::vector<std::vector<u32>> next = successors(region);
  std::vector<Visit> visits(next.size(), Visit::Not);
  std::vector<std::pair<u32, u32>> path;  // a block, and which of its successors comes next
  std::set<std::pair<u32, u64>> closing;
  for (u32 root = 0; root < next.size(); ++root) {
    if (visits[root] == Visit::Not) path.push_back({root, 0});
    while (!path.empty()) {
      const u32 at = path.back().first, n = path.back().second++;
      visits[at] = n == next[at].size() ? Visit::Done : Visit::Open;
      if (n == next[at].size()) {
        path.pop_back();
      } else if (const u32 to = next[at][n]; visits[to] == Visit::Open) {
        closing.emplace(at, region.blocks[to].pc);
      } else if (visits[to] == Visit::Not) {
        path.push_back({to, 0});
      }
    }
  }
  return closing;
}

}  // namespace tiercel::ir
