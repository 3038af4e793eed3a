// The dispatcher with the A64 frontend and both tiers: small programs given as words.
#include "engine/vcpu.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "engine/engine.h"
#include "frontend-arm/a64_frontend.h"
#include "frontend-arm/state.h"

namespace tiercel::engine {
namespace {

struct Mode {
  const char* name;
  Options options;
};

Mode mode(const char* name, Tier tier, bool lockstep = false, u32 chaos = 0, u64 cache = 1 << 20) {
  Options o;
  o.tier = tier;
  o.lockstep = lockstep;
  o.chaos_seed = chaos;
  o.code_cache_bytes = cache;
  return {name, o};
}

/// One page of guest code, one of data, one inaccessible.
class FlatSpace final : public AddressSpace {
 public:
  FlatSpace() {
    page_ = static_cast<u8*>(mmap(nullptr, 3 * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(page_ + 2 * kPageSize, kPageSize, PROT_NONE);
  }
  ~FlatSpace() override { munmap(page_, 3 * kPageSize); }
  std::span<const u8> code_window(VAddr pc) override {
    const u64 offset = pc.value - code();
    if (offset >= kPageSize) return {};
    return {page_ + offset, kPageSize - offset};
  }
  u64 flat_base() const override { return 0; }
  u64 code() const { return reinterpret_cast<u64>(page_); }
  u64 data() const { return code() + kPageSize; }
  void put(std::initializer_list<u32> words, u64 at = 0) {
    for (const u32 w : words) {
      std::memcpy(page_ + at, &w, 4);
      at += 4;
    }
  }

 private:
  u8* page_;
};

class VcpuTest : public testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    sigaction(SIGSEGV, nullptr, &old_);
    Engine::catch_host_faults();
    frontend = arm::make_a64_frontend();
    engine = std::make_unique<Engine>(*frontend, space, GetParam().options);
    vcpu = engine->make_vcpu();
    state().pc = space.code();
  }
  void TearDown() override { sigaction(SIGSEGV, &old_, nullptr); }
  arm::A64State& state() { return *static_cast<arm::A64State*>(vcpu->state()); }
  Stop run_to(Stop::Kind kind) {
    const Stop s = vcpu->run();
    EXPECT_EQ(static_cast<int>(s.kind), static_cast<int>(kind));
    return s;
  }

  FlatSpace space;
  std::unique_ptr<guest::Frontend> frontend;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Vcpu> vcpu;
  struct sigaction old_ = {};
};

TEST_P(VcpuTest, LoopAndSyscall) {
  space.put({
      0xd2800000,  // mov x0, #0
      0xd2807d01,  // mov x1, #1000
      0x8b010000,  // add x0, x0, x1
      0xf1000421,  // subs x1, x1, #1
      0x54ffffc1,  // b.ne .-8
      0xd4000541,  // svc #42
  });
  const Stop s = run_to(Stop::Kind::Syscall);
  EXPECT_EQ(s.payload, 42u);
  EXPECT_EQ(state().x[0], 500500u);
  EXPECT_EQ(state().pc, space.code() + 24);
  EXPECT_EQ(ir::nzcv_from_flags(state().flags), 6u) << "Z and C of 1 - 1";
}

TEST_P(VcpuTest, CallsAndReturns) {
  space.put({
      0xd2800000,  // mov x0, #0
      0xd2800c82,  // mov x2, #100
      0x94000005,  // bl f
      0xf1000442,  // subs x2, x2, #1
      0x54ffffc1,  // b.ne .-8
      0xd4000001,  // svc #0
      0xd503201f,  // nop
      0x91000c00,  // f: add x0, x0, #3
      0xd65f03c0,  // ret
  });
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[0], 300u);
}

TEST_P(VcpuTest, FaultIsPrecise) {
  space.put({
      0xd2800020,  // mov x0, #1
      0xf9400061,  // ldr x1, [x3]
      0xd2800040,  // mov x0, #2
      0xf8408c81,  // ldr x1, [x4, #8]!
      0xd2800060,  // mov x0, #3
      0xd4000001,  // svc #0
  });
  state().x[1] = 77;
  state().x[3] = space.data();
  state().x[4] = space.data() + kPageSize - 8;
  const Stop s = run_to(Stop::Kind::Fault);
  EXPECT_EQ(s.fault.address.value, space.data() + kPageSize);
  EXPECT_EQ(s.fault.access, guest::Access::Read);
  EXPECT_EQ(state().pc, space.code() + 12);
  EXPECT_EQ(state().x[0], 2u);
  EXPECT_EQ(state().x[1], 0u);
  EXPECT_EQ(state().x[4], space.data() + kPageSize - 8) << "no write-back";
  state().x[4] = space.data();
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[0], 3u);
  EXPECT_EQ(state().x[4], space.data() + 8);
}

TEST_P(VcpuTest, AnAccessAcrossPagesFaultsInTheSecond) {
  space.put({
      0xb9400060,  // ldr w0, [x3]
      0x3d800060,  // str q0, [x3]
      0xd4000001,  // svc #0
  });
  state().x[3] = space.data() + kPageSize - 2;
  EXPECT_EQ(run_to(Stop::Kind::Fault).fault.address.value, space.data() + kPageSize);
  state().pc = space.code() + 4;
  EXPECT_EQ(run_to(Stop::Kind::Fault).fault.address.value, space.data() + kPageSize);
}

TEST_P(VcpuTest, StoreFaultSaysWrite) {
  space.put({0xf9000060});  // str x0, [x3]
  state().x[3] = space.data() + kPageSize;
  const Stop s = run_to(Stop::Kind::Fault);
  EXPECT_EQ(s.fault.access, guest::Access::Write);
}

TEST_P(VcpuTest, TopByteIsIgnored) {
  space.put({
      0xf9000060,  // str x0, [x3]
      0xf9400061,  // ldr x1, [x3]
      0xd4000001,  // svc #0
  });
  state().x[0] = 0x1234;
  state().x[3] = space.data() | u64{0xa5} << 56;
  if (GetParam().options.lockstep) GTEST_SKIP() << "lockstep's store log takes plain addresses";
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[1], 0x1234u);
}

TEST_P(VcpuTest, JumpToNowhere) {
  space.put({0xd61f0060});  // br x3
  // Twice each: before and after the first lookup. No entry of the jump cache, empty or not, may match them.
  for (const u64 target : {~u64{0}, ~u64{3}, u64{0}, u64{4}, u64{0x10}, ~u64{0} >> 8, ~u64{0}}) {
    state().pc = space.code();
    state().x[3] = target;
    const Stop s = run_to(Stop::Kind::Fault);
    EXPECT_EQ(s.fault.access, guest::Access::Execute);
    EXPECT_EQ(s.fault.address.value, target);
    EXPECT_EQ(state().pc, target);
  }
}

TEST_P(VcpuTest, JumpToAllOnesWhileEverythingMisses) {
  space.put({0xd61f0060});  // br x3
  state().x[3] = ~u64{0};
  vcpu->request_exit();
  vcpu->context()->exit_request = 0;  // as if the request came after the last check before the branch
  EXPECT_EQ(run_to(Stop::Kind::Fault).fault.address.value, ~u64{0});
  vcpu->clear_exit_request();
}

TEST_P(VcpuTest, JumpToMisalignedCode) {
  space.put({
      0xd65f03c0,  // ret
      0xd2800540,  // mov x0, #42: a misaligned pc must reach none of this
      0xd4000001,  // svc #0
  });
  for (const u64 target : {space.code() + 5, space.code() + 6, space.code() + 7}) {
    state().pc = space.code();
    state().x[30] = target;
    const Stop s = run_to(Stop::Kind::Fault);
    EXPECT_EQ(s.fault.access, guest::Access::Execute);
    EXPECT_EQ(s.fault.address.value, target);
    EXPECT_EQ(state().pc, target);
    EXPECT_EQ(state().x[0], 0u);
  }
}

TEST_P(VcpuTest, MisalignedAtomicsFault) {
  struct Case {
    const char* text;
    u32 word;
    u64 offset;  // from the data
    bool faults, is_write;
  };
  // x5 holds the address. Write: what the access does first is no read.
  const Case cases[] = {
      {"ldxr x0, [x5]", 0xc85f7ca0, 4, true, false},
      {"ldaxr w0, [x5]", 0x885ffca0, 2, true, false},
      {"ldxrh w0, [x5]", 0x485f7ca0, 1, true, false},
      {"ldxrb w0, [x5]", 0x085f7ca0, 1, false, false},
      {"ldxp x0, x1, [x5]", 0xc87f04a0, 8, true, false},
      {"ldxp x0, x1, [x5]", 0xc87f04a0, 16, false, false},
      {"ldxp w0, w1, [x5]", 0x887f04a0, 4, true, false},
      {"ldar x0, [x5]", 0xc8dffca0, 1, true, false},
      {"ldar w0, [x5]", 0x88dffca0, 4, false, false},
      {"ldarh w0, [x5]", 0x48dffca0, 3, true, false},
      {"ldarb w0, [x5]", 0x08dffca0, 3, false, false},
      {"stlr x0, [x5]", 0xc89ffca0, 4, true, true},
      {"stlrh w0, [x5]", 0x489ffca0, 7, true, true},
      {"ldadd x0, x1, [x5]", 0xf82000a1, 4, true, false},
      {"ldumax w0, w1, [x5]", 0xb82060a1, 1, true, false},
      {"stset x0, [x5]", 0xf82030bf, 4, true, false},
      {"swpalh w0, w1, [x5]", 0x78e080a1, 1, true, false},
      {"cas x0, x1, [x5]", 0xc8a07ca1, 4, true, false},
      {"casp x0, x1, x2, x3, [x5]", 0x48207ca2, 8, true, false},
      {"casp w0, w1, w2, w3, [x5]", 0x08207ca2, 4, true, false},
      {"ldr x0, [x5]", 0xf94000a0, 3, false, false},
      {"str x0, [x5]", 0xf90000a0, 3, false, false},
  };
  u64 at = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    space.put({0x91000442, c.word, 0xd4000001}, at);  // add x2, x2, #1; ...; svc #0
    state().pc = space.code() + at;
    state().x[2] = 6;
    const u64 address = space.data() + c.offset;
    state().x[5] = address;
    const u64 tag = GetParam().options.lockstep ? 0 : u64{0x5a} << 56;
    if (c.faults) state().x[5] |= tag;
    const Stop s = run_to(c.faults ? Stop::Kind::Fault : Stop::Kind::Syscall);
    at += 12;
    if (!c.faults) continue;
    EXPECT_TRUE(s.fault.misaligned);
    EXPECT_EQ(s.fault.address.value, address) << "without the tag";
    EXPECT_EQ(s.fault.access, c.is_write ? guest::Access::Write : guest::Access::Read);
    EXPECT_EQ(state().pc, space.code() + at - 8);
    EXPECT_EQ(state().x[2], 7u);
  }
}

/// A store exclusive checks the address only if it would store; then it faults.
TEST_P(VcpuTest, MisalignedStoreExclusive) {
  space.put({
      0xc8007ca1,  // stxr w0, x1, [x5]: the exclusive is not open
      0x085f7ca2,  // ldxrb w2, [x5]
      0xc8007ca1,  // stxr w0, x1, [x5]
      0xd4000001,  // svc #0
  });
  state().x[5] = space.data() + 1;
  const Stop s = run_to(Stop::Kind::Fault);
  EXPECT_TRUE(s.fault.misaligned);
  EXPECT_EQ(s.fault.access, guest::Access::Write);
  EXPECT_EQ(s.fault.address.value, space.data() + 1);
  EXPECT_EQ(state().pc, space.code() + 8);
  EXPECT_EQ(state().x[0], 1u);
}

TEST_P(VcpuTest, UndefinedAndBreakpoint) {
  space.put({0xd4200020, 0x00000000});  // brk #1; udf #0
  EXPECT_EQ(run_to(Stop::Kind::Breakpoint).payload, 1u);
  EXPECT_EQ(state().pc, space.code());
  state().pc += 4;
  run_to(Stop::Kind::Undefined);
  EXPECT_EQ(state().pc, space.code() + 4);
}

TEST_P(VcpuTest, ChangedCodeIsSeenAfterIcIvau) {
  space.put({
      0xd2800020,  // mov x0, #1      (replaced by mov x0, #2)
      0xd4000001,  // svc #0
      0xb90000a6,  // str w6, [x5]
      0xd50b7525,  // ic ivau, x5
      0xd5033fdf,  // isb
      0x17fffffb,  // b .-20
  });
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[0], 1u);
  state().x[5] = space.code();
  state().x[6] = 0xd2800040;
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[0], 2u);
}

TEST_P(VcpuTest, RequestStopsATightLoop) {
  space.put({0x91000400, 0x17ffffff});  // add x0, x0, #1; b .-4
  std::atomic<bool> running{false};
  std::thread poker([&] {
    while (!running) std::this_thread::yield();
    usleep(20000);
    vcpu->request_exit();
  });
  running = true;
  run_to(Stop::Kind::Interrupt);
  poker.join();
  EXPECT_GT(state().x[0], 0u);
  EXPECT_TRUE(state().pc == space.code() || state().pc == space.code() + 4);
  vcpu->request_exit();
  run_to(Stop::Kind::Interrupt);
  vcpu->clear_exit_request();
}

TEST_P(VcpuTest, RequestStopsAnIndirectLoop) {
  space.put({0x91000400, 0xd61f0060});  // add x0, x0, #1; br x3
  state().x[3] = space.code();
  std::thread poker([&] {
    usleep(20000);
    vcpu->request_exit();
  });
  run_to(Stop::Kind::Interrupt);
  poker.join();
  EXPECT_EQ(state().pc, space.code());
}

TEST_P(VcpuTest, BreakpointsStopBeforeTheInsn) {
  // A loop of three rounds around a call; x0 counts the rounds, x1 the calls.
  space.put({0xd2800000, 0xd2800001, 0x91000400, 0x94000005, 0xf1000c1f, 0x54ffffa1, 0xd4000001});
  space.put({0x91000421, 0xd65f03c0}, 32);
  const u64 insn = space.code() + 32;
  engine->set_breakpoints({insn, space.code() + 16});
  EXPECT_TRUE(engine->has_breakpoint(insn));
  for (u64 round = 0; round < 3; ++round) {
    run_to(Stop::Kind::DebugBreak);
    EXPECT_EQ(vcpu->pc(), insn);
    EXPECT_EQ(state().x[1], round);
    run_to(Stop::Kind::DebugBreak);  // it stays where it is
    EXPECT_EQ(state().x[1], round);
    EXPECT_FALSE(vcpu->step({}).has_value());
    EXPECT_EQ(vcpu->pc(), insn + 4);
    run_to(Stop::Kind::DebugBreak);
    EXPECT_EQ(vcpu->pc(), space.code() + 16);
    EXPECT_EQ(state().x[0], round + 1);
    EXPECT_FALSE(vcpu->step({}).has_value());
  }
  run_to(Stop::Kind::Syscall);
  // Taken away while the code around it is hot, and put back.
  state().pc = space.code();
  engine->set_breakpoints({});
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[1], 3u);
  state().pc = space.code();
  engine->set_breakpoints({insn + 4});
  run_to(Stop::Kind::DebugBreak);
  EXPECT_EQ(state().x[1], 1u);
}

TEST_P(VcpuTest, StepsAreExact) {
  // movz x0, #5; cmp x0, #5; b.eq +8; udf; str x0, [x2]; svc; udf
  space.put({0xd28000a0, 0xf100141f, 0x54000040, 0, 0xf9000040, 0xd4000001, 0});
  state().x[2] = space.data();
  for (const u64 next : {4, 8, 16, 20}) {
    EXPECT_FALSE(vcpu->step({}).has_value());
    EXPECT_EQ(vcpu->pc(), space.code() + next);
  }
  EXPECT_EQ(*reinterpret_cast<u64*>(space.data()), 5u);
  auto stop = vcpu->step({});
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::Syscall);
  EXPECT_EQ(vcpu->pc(), space.code() + 24);
  stop = vcpu->step({});
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::Undefined);
  EXPECT_EQ(vcpu->pc(), space.code() + 24);
  // Faults, and code that changed since it was stepped.
  state().pc = space.code() + 16;
  state().x[2] = space.data() + kPageSize;
  stop = vcpu->step({});
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::Fault);
  EXPECT_EQ(stop->fault.address.value, space.data() + kPageSize);
  EXPECT_EQ(stop->fault.access, guest::Access::Write);
  state().pc = space.code();
  space.put({0xd28000e0});
  engine->invalidate(VAddr{space.code()}, 4);
  EXPECT_FALSE(vcpu->step({}).has_value());
  EXPECT_EQ(state().x[0], 7u);
  vcpu->request_exit();
  stop = vcpu->step({});
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::Interrupt);
  EXPECT_EQ(vcpu->pc(), space.code() + 4);
  state().pc = space.data() + 2;
  vcpu->clear_exit_request();
  stop = vcpu->step({});
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->fault.access, guest::Access::Execute);
}

TEST_P(VcpuTest, BudgetsAreExactToTheBlock) {
  if (GetParam().options.lockstep) GTEST_SKIP() << "lockstep counts nothing";
  Options options = GetParam().options;
  options.counts_insns = true;
  Engine counting(*frontend, space, options);
  const auto cpu = counting.make_vcpu();
  auto& s = *static_cast<arm::A64State*>(cpu->state());
  // movz x0, #1000; a loop of three insns; svc
  space.put({0xd2807d00, 0x91000421, 0xf1000400, 0x54ffffc1, 0xd4000001});
  s.pc = space.code();
  s64 executed = 0;
  for (int turns = 1;; ++turns) {
    cpu->set_budget(100);
    const Stop stop = cpu->run();
    executed += 100 - cpu->budget();
    if (stop.kind == Stop::Kind::Syscall) {
      EXPECT_GE(turns, 29);
      break;
    }
    ASSERT_EQ(stop.kind, Stop::Kind::Interrupt);
    ASSERT_LE(cpu->budget(), 0);
    ASSERT_GT(cpu->budget(), -5);
  }
  EXPECT_EQ(executed, 1 + 3 * 1000 + 1);
  EXPECT_EQ(s.x[1], 1000u);
}

TEST_P(VcpuTest, WatchesStopBeforeTheAccess) {
  // str w0, [x2, #4]; ldr x3, [x2]; ldrb w4, [x2, #8]
  space.put({0xb9000440, 0xf9400043, 0x39402044});
  state().x[0] = 1;
  state().x[2] = space.data();
  const Watch writes[] = {{space.data() + 7, 1, false, true}};
  const Watch reads[] = {{space.data() + 2, 1, true, false}};
  auto stop = vcpu->step(writes);
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::DebugWatch);
  EXPECT_EQ(stop->fault.address.value, space.data() + 7);
  EXPECT_EQ(vcpu->pc(), space.code());
  EXPECT_EQ(*reinterpret_cast<u64*>(space.data()), 0u);
  EXPECT_FALSE(vcpu->step(reads).has_value());
  EXPECT_EQ(*reinterpret_cast<u64*>(space.data()), u64{1} << 32);
  EXPECT_FALSE(vcpu->step(writes).has_value());
  state().pc = space.code() + 4;
  stop = vcpu->step(reads);
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->kind, Stop::Kind::DebugWatch);
  state().pc = space.code() + 8;
  EXPECT_FALSE(vcpu->step(reads).has_value());
}

TEST_P(VcpuTest, ForkedChildTranslatesOnItsOwn) {
  space.put({
      0xd2800140,  // mov x0, #10
      0xd4000001,  // svc #0
      0x91000400,  // add x0, x0, #1
      0xd4000001,  // svc #0
  });
  run_to(Stop::Kind::Syscall);
  engine->fork_prepare();
  const pid_t child = fork();
  if (child == 0) {
    engine->fork_child();
    vcpu->run();
    _exit(state().x[0] == 11 ? 0 : 1);
  }
  engine->fork_parent();
  run_to(Stop::Kind::Syscall);
  EXPECT_EQ(state().x[0], 11u);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_P(VcpuTest, TwoThreadsShareTranslationsAndAtomics) {
  if (GetParam().options.lockstep) GTEST_SKIP() << "lockstep is for one thread";
  space.put({
      0xd2a00021,  // mov x1, #0x10000
      0xf8220003,  // ldadd x2, x3, [x0]
      0xf1000421,  // subs x1, x1, #1
      0x54ffffc1,  // b.ne .-8
      0xd4000001,  // svc #0
  });
  const auto work = [&] {
    auto mine = engine->make_vcpu();
    auto& s = *static_cast<arm::A64State*>(mine->state());
    s.pc = space.code();
    s.x[0] = space.data();
    s.x[2] = 1;
    EXPECT_EQ(static_cast<int>(mine->run().kind), static_cast<int>(Stop::Kind::Syscall));
  };
  std::thread a(work), b(work);
  a.join();
  b.join();
  EXPECT_EQ(*reinterpret_cast<u64*>(space.data()), 0x20000u);
}

INSTANTIATE_TEST_SUITE_P(Tiers, VcpuTest,
                         testing::Values(mode("interp", Tier::Interp), mode("fast", Tier::Fast),
                                         mode("lockstep", Tier::Fast, true), mode("chaos", Tier::Fast, false, 12345),
                                         mode("tiny_cache", Tier::Fast, false, 0, 64 << 10)),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace tiercel::engine
