// Passes and code generation around the lowering.
#include "backend/llvm/region_compiler.h"

#include <fmt/format.h>
#include <llvm/Analysis/AliasAnalysis.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Mem2Reg.h>

#include <string_view>

#include "backend/llvm/lowering.h"
#include "backend/llvm/object.h"
#include "base/check.h"

namespace tiercel::backend {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

/// Features in LLVM's names, on top of x86-64-v2.
std::string feature_string(const HostFeatures& h) {
  std::string s = "+prefer-256-bit";
  const auto add = [&](bool has, std::string_view names) {
    if (has) s += fmt::format(",{}", names);
  };
  add(h.avx, "+avx");
  add(h.avx2, "+avx2");
  add(h.bmi1, "+bmi");
  add(h.bmi2, "+bmi2");
  add(h.lzcnt, "+lzcnt");
  add(h.fma, "+fma");
  add(h.f16c, "+f16c");
  add(h.aes, "+aes");
  add(h.pclmul, "+pclmul");
  add(h.sha, "+sha");
  add(h.avx512vl, "+avx512f,+avx512vl,+avx512bw,+avx512dq,+avx512cd");
  add(h.avx512vbmi, "+avx512vbmi");
  add(h.avx512bitalg, "+avx512bitalg");
  add(h.gfni, "+gfni");
  add(h.vpclmul, "+vpclmulqdq");
  return s;
}

/// Options of LLVM's that only its command line can set, once in the process.
void set_options() {
  [[maybe_unused]] static const bool once = [] {
    const char* const arguments[] = {
        "tiercel",
        "-disable-lsr",                      // the guest's compiler has reduced strength; here it would serve cold ways
        "-jump-table-density=2",             // guests' targets lie far apart; better than a tree of compares
        "-enable-shrink-wrap=false",         // stackmaps name one size of the frame for the whole function
        "-disable-x86-domain-reassignment",  // takes an eighth of the time and never changed anything
        "-grow-region-complexity-budget=100"};  // splitting live ranges at length took as long and gained nothing
    return llvm::cl::ParseCommandLineOptions(std::size(arguments), arguments);
  }();
}

std::unique_ptr<llvm::TargetMachine> make_machine(const HostFeatures& features) {
  set_options();
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmParser();
  LLVMInitializeX86AsmPrinter();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, error);
  CHECK(target);
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(kTriple, "x86-64-v2", feature_string(features), options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
}

/// Keeps the first error LLVM reports instead of printing it.
struct Diagnostics final : llvm::DiagnosticHandler {
  explicit Diagnostics(std::string& first) : first_error(first) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() != llvm::DS_Error || !first_error.empty()) return true;
    llvm::raw_string_ostream stream(first_error);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    stream << "LLVM: ";
    info.print(printer);
    return true;
  }
  std::string& first_error;
};

/// Runs behind register allocation and tells which XMM registers the region's code changes.
class ChangedRegisters final : public llvm::MachineFunctionPass {
 public:
  ChangedRegisters(const llvm::MCRegisterInfo& registers, u32& xmm_changed)
      : MachineFunctionPass(id), xmm_(registers.getNumRegs()), xmm_changed_(xmm_changed) {
    for (unsigned r = 1; r < registers.getNumRegs(); ++r) {
      u32 n = 0;
      llvm::StringRef name = registers.getName(r);
      if (!name.consume_front("XMM") || name.getAsInteger(10, n) || n >= 32) continue;
      for (llvm::MCRegAliasIterator alias(r, &registers, /*IncludeSelf=*/true); alias.isValid(); ++alias)
        xmm_[*alias] |= u32{1} << n;
    }
  }

  bool runOnMachineFunction(llvm::MachineFunction& function) override {
    xmm_changed_ = 0;
    for (const llvm::MachineBasicBlock& block : function)
      for (const llvm::MachineInstr& inst : block)
        for (const llvm::MachineOperand& operand : inst.operands()) {
          if (operand.isReg() && operand.isDef() && operand.getReg().isPhysical())
            xmm_changed_ |= xmm_[operand.getReg()];
          // What a call may change. The ways out are tail calls: what comes behind them is not ours.
          if (operand.isRegMask() && !inst.isReturn()) xmm_changed_ = ~u32{0};
        }
    return false;
  }

 private:
  static inline char id = 0;
  std::vector<u32> xmm_;  // per register: the XMM registers that overlap it
  u32& xmm_changed_;
};

class LlvmCompiler final : public RegionCompiler {
 public:
  LlvmCompiler(const VmLayout& layout, const HostFeatures& features)
      : layout_(layout), features_(features), machine_(make_machine(features)), builder_(machine_.get()) {
    builder_.registerModuleAnalyses(modules_);
    builder_.registerCGSCCAnalyses(sccs_);
    builder_.registerFunctionAnalyses(functions_);
    builder_.registerLoopAnalyses(loops_);
    builder_.crossRegisterProxies(loops_, functions_, sccs_, modules_);
    add_passes();
  }

  bool compile(const ir::Region& region, const RegionRequest& request, RegionCode& out, std::string& why) override {
    out = {};
    std::string error;
    llvm::LLVMContext context;
    context.setDiagnosticHandler(std::make_unique<Diagnostics>(error));
    llvm::Module module("region", context);
    module.setTargetTriple(kTriple);
    module.setDataLayout(machine_->createDataLayout());
    module.setPICLevel(llvm::PICLevel::SmallPIC);
    region::Lowering lowering(module, layout_, features_, region, out);
    if (!lowering.run(why)) return false;
    if (!sound(module, why)) return false;
    if (request.want_listing) out.listing = print(module);
    optimise(module);
    if (request.want_listing) out.listing += print(module) + assembly(module);
    llvm::SmallVector<char, 0> object;
    emit(module, object, llvm::CodeGenFileType::ObjectFile, out.xmm_changed);
    why = error;
    return why.empty() && region::link_object({object.data(), object.size()}, lowering.stops(), out, why);
  }

 private:
  void add_passes() {
    passes_.addPass(llvm::PromotePass());
    passes_.addPass(llvm::EarlyCSEPass());
    passes_.addPass(llvm::InstCombinePass());
    passes_.addPass(llvm::SimplifyCFGPass());
    passes_.addPass(llvm::ADCEPass());
  }

  static bool sound([[maybe_unused]] llvm::Module& module, [[maybe_unused]] std::string& why) {
#ifdef TIERCEL_VERIFY
    llvm::raw_string_ostream stream(why);
    if (!llvm::verifyModule(module, &stream)) return true;
    why += print(module);
    return false;
#else
    return true;
#endif
  }

  void optimise(llvm::Module& module) {
    for (llvm::Function& f : module)
      if (!f.isDeclaration()) passes_.run(f, functions_);
    loops_.clear();
    functions_.clear();
    sccs_.clear();
    modules_.clear();
  }

  void emit(llvm::Module& module, llvm::SmallVectorImpl<char>& to, llvm::CodeGenFileType type, u32& xmm_changed) {
    llvm::raw_svector_ostream stream(to);
    llvm::legacy::PassManager codegen;
    // As TargetMachine::addPassesToEmitFile, with passes of ours.
    auto& machine = static_cast<llvm::LLVMTargetMachine&>(*machine_);
    auto* info = new llvm::MachineModuleInfoWrapperPass(&machine);
    llvm::TargetPassConfig* config = machine.createPassConfig(codegen);
    config->setDisableVerify(true);
    codegen.add(config);
    codegen.add(info);
    CHECK(!config->addISelPasses());
    codegen.add(region::make_frameless());
    config->addMachinePasses();
    config->setInitialized();
    codegen.add(new ChangedRegisters(*machine.getMCRegisterInfo(), xmm_changed));
    CHECK(!machine.addAsmPrinter(codegen, stream, nullptr, type, info->getMMI().getContext()));
    codegen.add(llvm::createFreeMachineFunctionPass());
    codegen.run(module);
  }

  static std::string print(const llvm::Module& module) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
  }

  std::string assembly(const llvm::Module& module) {
    llvm::SmallVector<char, 0> text;
    const auto copy = llvm::CloneModule(module);
    u32 xmm_changed = 0;
    emit(*copy, text, llvm::CodeGenFileType::AssemblyFile, xmm_changed);
    const llvm::StringRef all(text.data(), text.size());
    return all.take_front(all.find("\t.section\t.llvm_stackmaps")).str();
  }

  VmLayout layout_;
  HostFeatures features_;
  std::unique_ptr<llvm::TargetMachine> machine_;
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager sccs_;
  llvm::ModuleAnalysisManager modules_;
  llvm::PassBuilder builder_;
  llvm::FunctionPassManager passes_;
};

}  // namespace

std::unique_ptr<RegionCompiler> make_llvm_compiler(const VmLayout& layout, const HostFeatures& features) {
  return std::make_unique<LlvmCompiler>(layout, features);
}

std::vector<ir::Opcode> evaluated_insts(const ir::Region& region, const VmLayout& layout,
                                        const HostFeatures& features) {
  llvm::LLVMContext context;
  llvm::Module module("region", context);
  module.setDataLayout(make_machine(features)->createDataLayout());
  RegionCode code;
  std::string why;
  region::Lowering lowering(module, layout, features, region, code);
  CHECK(lowering.run(why));
  return lowering.evaluated();
}

}  // namespace tiercel::backend
