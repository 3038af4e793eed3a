#include "tests/decoder/mc_oracle.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Triple.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace tiercel::test {

struct McOracle::Private {
  llvm::MCTargetOptions options;
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> asm_info;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCContext> context;
  std::unique_ptr<llvm::MCDisassembler> disassembler;
  std::unique_ptr<llvm::MCInstPrinter> printer;
  llvm::MCInst inst;
  u64 pc = 0;
};

McOracle::McOracle(const char* features) : private_(std::make_unique<Private>()) {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64Disassembler();
  const std::string name = "aarch64-unknown-linux-gnu";
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(name, error);
  if (!target) {
    std::fprintf(stderr, "no AArch64 in this LLVM: %s\n", error.c_str());
    std::exit(77);
  }
  Private& p = *private_;
  p.registers.reset(target->createMCRegInfo(name));
  p.asm_info.reset(target->createMCAsmInfo(*p.registers, name, p.options));
  p.instructions.reset(target->createMCInstrInfo());
  p.subtarget.reset(target->createMCSubtargetInfo(name, "generic", features));
  p.context =
      std::make_unique<llvm::MCContext>(llvm::Triple(name), p.asm_info.get(), p.registers.get(), p.subtarget.get());
  p.disassembler.reset(target->createMCDisassembler(*p.subtarget, *p.context));
  p.printer.reset(target->createMCInstPrinter(llvm::Triple(name), 0, *p.asm_info, *p.instructions, *p.registers));
  p.printer->applyTargetSpecificCLOption("no-aliases");
}

McOracle::~McOracle() = default;

bool McOracle::decode(u32 word, u64 pc) {
  const u8 bytes[4] = {static_cast<u8>(word), static_cast<u8>(word >> 8), static_cast<u8>(word >> 16),
                       static_cast<u8>(word >> 24)};
  u64 size = 0;
  private_->inst = llvm::MCInst();  // cleared is not enough: LLVM 19 crashed on reused ones
  private_->pc = pc;
  const auto status = private_->disassembler->getInstruction(private_->inst, size, bytes, pc, llvm::nulls());
  return status != llvm::MCDisassembler::Fail;
}

std::string McOracle::text() {
  std::string out;
  llvm::raw_string_ostream stream(out);
  private_->printer->printInst(&private_->inst, private_->pc, "", *private_->subtarget, stream);
  stream.flush();
  return out;
}

std::string normalised(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    const bool starts_word = out.empty() || (!std::isalnum(static_cast<unsigned char>(out.back())) &&
                                             out.back() != '_' && out.back() != '.');
    if (c == '/' && i + 1 < text.size() && text[i + 1] == '/') break;  // comment
    if (std::isspace(static_cast<unsigned char>(c))) {
      if (!out.empty() && out.back() != ' ' && out.back() != ',' && out.back() != '[' && out.back() != '{') out += ' ';
      ++i;
    } else if (c == '#') {
      ++i;
    } else if (starts_word && (std::isdigit(static_cast<unsigned char>(c)) || (c == '-' && i + 1 < text.size()))) {
      std::size_t end = i + 1;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '.')) ++end;
      const std::string number = text.substr(i, end - i);
      if (number.find('.') != number.npos)
        out += std::to_string(std::strtod(number.c_str(), nullptr));
      else if (number[0] == '-')
        out += std::to_string(static_cast<u64>(std::strtoll(number.c_str(), nullptr, 0)));
      else
        out += std::to_string(std::strtoull(number.c_str(), nullptr, 0));
      i = end;
    } else {
      out += c;
      ++i;
    }
  }
  std::string packed;  // blanks only after the mnemonic
  bool operands = false;
  for (const char c : out) {
    if (c == ' ' && operands) continue;
    if (c == ' ') operands = true;
    packed += c;
  }
  while (!packed.empty() && packed.back() == ' ') packed.pop_back();
  return packed;
}

}  // namespace tiercel::test
