#include "engine/code_memory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace tiercel::engine {
namespace {

// mov eax, imm32; ret
void put_constant_function(CodeMemory& m, u64 offset, u32 value) {
  u8 code[] = {0xb8, 0, 0, 0, 0, 0xc3};
  std::memcpy(code + 1, &value, 4);
  m.write(offset, code, sizeof code);
}
u32 call(const CodeMemory& m, u64 offset) {
  return reinterpret_cast<u32 (*)()>(reinterpret_cast<u64>(m.code() + offset))();
}

TEST(CodeMemory, RunsWhatWasWrittenAndPatched) {
  auto m = CodeMemory::create(1 << 20);
  ASSERT_TRUE(m.has_value());
  put_constant_function(*m, 7, 41);  // imm32 at 8..11: within one 8-byte word
  EXPECT_EQ(call(*m, 7), 41u);
  m->patch32(8, 42);
  EXPECT_EQ(call(*m, 7), 42u);
}

TEST(CodeMemory, RoundsUpToAChunk) {
  auto m = CodeMemory::create(1);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->size(), CodeMemory::kChunk);
  EXPECT_TRUE(m->contains(reinterpret_cast<u64>(m->code())));
  EXPECT_FALSE(m->contains(reinterpret_cast<u64>(m->code()) + m->size()));
}

// Parent and child must not see each other's patches or new code, whoever writes first, over two generations.
TEST(CodeMemory, ForkSeparatesParentAndChild) {
  auto m = CodeMemory::create(4 * CodeMemory::kChunk);
  ASSERT_TRUE(m.has_value());
  const u64 far = 2 * CodeMemory::kChunk + 7;
  put_constant_function(*m, 7, 1);
  put_constant_function(*m, 71, 10);
  const pid_t child = fork();
  if (child == 0) {
    m->freeze_after_fork(true);
    bool ok = call(*m, 7) == 1;
    m->patch32(8, 2);
    put_constant_function(*m, far, 3);
    ok = ok && call(*m, 7) == 2 && call(*m, 71) == 10 && call(*m, far) == 3;
    const pid_t grandchild = fork();
    m->freeze_after_fork(grandchild == 0);
    m->patch32(8, grandchild == 0 ? 5 : 6);
    ok = ok && call(*m, 7) == (grandchild == 0 ? 5u : 6u) && call(*m, far) == 3;
    int status = 0;
    if (grandchild != 0) ok = ok && waitpid(grandchild, &status, 0) == grandchild && status == 0;
    _exit(ok ? 0 : 1);
  }
  m->freeze_after_fork(false);
  m->patch32(8, 4);
  put_constant_function(*m, far, 9);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(call(*m, 7), 4u);
  EXPECT_EQ(call(*m, 71), 10u);
  EXPECT_EQ(call(*m, far), 9u);
}

}  // namespace
}  // namespace tiercel::engine
