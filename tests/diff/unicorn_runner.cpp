#include "tests/diff/unicorn_runner.h"

#include <fmt/format.h>
#include <unicorn/unicorn.h>

#include <cstdlib>
#include <cstring>

namespace tiercel::test {
namespace {

constexpr int kRegisters = 31 + 1 + 1 + 4 + 32;

class UnicornRunner final : public Runner {
 public:
  UnicornRunner() {
    int n = 0;
    for (int i = 0; i < 29; ++i) ids_[n++] = UC_ARM64_REG_X0 + i;
    ids_[n++] = UC_ARM64_REG_X29;
    ids_[n++] = UC_ARM64_REG_X30;
    for (const int id : {UC_ARM64_REG_SP, UC_ARM64_REG_PC, UC_ARM64_REG_NZCV, UC_ARM64_REG_FPCR, UC_ARM64_REG_FPSR,
                         UC_ARM64_REG_TPIDR_EL0})
      ids_[n++] = id;
    for (int i = 0; i < 32; ++i) ids_[n++] = UC_ARM64_REG_Q0 + i;
    open();
  }
  ~UnicornRunner() override { uc_close(uc_); }

  const char* name() const override { return "unicorn"; }

  void forget_code() override {
    uc_close(uc_);
    open();
  }

  Outcome run(CpuState& state, Data& data, u64 end) override {
    std::memcpy(data_.data(), data.data(), kDataBytes);
    Image image;
    void* in[kRegisters];
    pointers(image, in);
    load(image, state);
    uc_reg_write_batch(uc_, ids_, in, kRegisters);
    const uc_err error = uc_emu_start(uc_, state.pc, end, 0, 0);
    uc_reg_read_batch(uc_, ids_, in, kRegisters);
    store(image, state);
    std::memcpy(data.data(), data_.data(), kDataBytes);
    switch (error) {
      case UC_ERR_OK:
        return {};
      case UC_ERR_READ_UNMAPPED:
      case UC_ERR_WRITE_UNMAPPED:
      case UC_ERR_READ_PROT:
      case UC_ERR_WRITE_PROT:
      case UC_ERR_FETCH_UNMAPPED:
      case UC_ERR_FETCH_PROT:
      case UC_ERR_EXCEPTION:  // of the instructions generated here, only alignment faults end so
        return {End::Fault, 0, ""};
      default:
        return {End::Failed, 0, uc_strerror(error)};
    }
  }

 private:
  struct Image {
    u64 word[37] = {};
    U128 v[32];
  };
  static void pointers(Image& image, void** out) {
    for (int i = 0; i < 37; ++i) out[i] = &image.word[i];
    for (int i = 0; i < 32; ++i) out[37 + i] = &image.v[i];
  }
  static void load(Image& image, const CpuState& s) {
    std::memcpy(image.word, s.x, sizeof s.x);
    image.word[31] = s.sp;
    image.word[32] = s.pc;
    image.word[33] = s.nzcv;
    image.word[34] = s.fpcr;
    image.word[35] = s.fpsr;
    image.word[36] = s.tpidr;
    std::memcpy(image.v, s.v, sizeof s.v);
  }
  static void store(const Image& image, CpuState& s) {
    std::memcpy(s.x, image.word, sizeof s.x);
    s.sp = image.word[31];
    s.pc = image.word[32];
    s.nzcv = static_cast<u32>(image.word[33]) & 0xf000'0000;
    s.fpcr = static_cast<u32>(image.word[34]) & kFpcrBits;
    s.fpsr = static_cast<u32>(image.word[35]) & kFpsrBits;
    s.tpidr = image.word[36];
    std::memcpy(s.v, image.v, sizeof s.v);
  }

  static void must(uc_err error, const char* what) {
    if (error == UC_ERR_OK) return;
    fmt::print(stderr, "unicorn: {}: {}\n", what, uc_strerror(error));
    std::exit(1);
  }

  void open() {
    must(uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc_), "open");
    must(uc_ctl_set_cpu_model(uc_, UC_CPU_ARM64_MAX), "cpu model");
    must(uc_mem_map_ptr(uc_, kCodeBase, kCodeBytes, UC_PROT_READ | UC_PROT_EXEC, reinterpret_cast<void*>(kCodeBase)),
         "map code");
    must(uc_mem_map_ptr(uc_, kDataBase, kDataBytes, UC_PROT_READ | UC_PROT_WRITE, data_.data()), "map data");
  }

  uc_engine* uc_ = nullptr;
  int ids_[kRegisters];
  alignas(4096) Data data_ = {};
};

}  // namespace

std::unique_ptr<Runner> make_unicorn_runner() {
  return std::make_unique<UnicornRunner>();
}

}  // namespace tiercel::test
