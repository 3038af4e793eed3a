// The translation service with a compiler of the test's: requests go through the real socket and shared memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>
#include <utility>

#include "engine/translator.h"
#include "frontend-arm/a64_frontend.h"
#include "service/client.h"
#include "service/descriptors.h"
#include "service/job.h"
#include "service/messages.h"
#include "service/place.h"
#include "service/region_cache.h"
#include "service/server.h"

namespace tiercel::service {
namespace {

constexpr u64 kFatal = 0x666, kEndless = 0x999;

/// Answers with the number of blocks as code; dies of some pcs.
class FakeCompiler final : public backend::RegionCompiler {
 public:
  bool compile(const ir::Region& region, const backend::RegionRequest&, backend::RegionCode& out,
               std::string& why) override {
    if (region.blocks.front().pc == kFatal) std::abort();
    if (region.blocks.front().pc == kEndless)
      for (;;) pause();
    if (region.blocks.front().pc == 0x13) return why = "thirteen", false;
    out = {};
    out.code.assign(16, static_cast<u8>(region.blocks.size()));
    out.code.push_back(++compiled_);
    out.exits = {{backend::RegionExit::Kind::Direct, 0x1234}, {backend::RegionExit::Kind::Fault, 0x5678}};
    out.faults = {{3, 7}};
    out.jumps = {{12, 1}, {4, 0}};
    if (region.blocks.front().pc == 0xbad) out.faults[0].landing_offset = 17;
    if (region.blocks.front().pc == 0xbad1) out.jumps[0].offset = 14;
    if (region.blocks.front().pc == 0xbad2) out.jumps[0].exit = 2;
    return true;
  }

 private:
  u8 compiled_ = 0;
};

ir::Region region_at(u64 pc) {
  ir::Region r;
  ir::Function& f = r.blocks.emplace_back();
  f.pc = pc;
  f.end_pc = pc + 4;
  f.insn_count = 1;
  ir::Inst insn, jump;
  insn.op = ir::Opcode::Insn;
  insn.imm = pc;
  jump.op = ir::Opcode::Jump;
  jump.imm = pc;
  f.insts = {insn, jump};
  return r;
}

backend::VmLayout layout_of(const guest::Frontend& frontend) {
  backend::VmLayout layout;
  layout.slots = frontend.layout().slots;
  layout.state_size = frontend.layout().state_size;
  layout.pc_offset = frontend.layout().pc_offset;
  return layout;
}

void send_two(int s) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(2 * sizeof(int));  // both are standard input
  EXPECT_EQ(sendmsg(s, &message, 0), 1);
}

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/service-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory = name;
    setenv("TIERCEL_SERVICE_DIR", name, 1);
    std::signal(SIGCHLD, SIG_IGN);  // so that a killed server is gone at once
    frontend = arm::make_a64_frontend();
    layout = layout_of(*frontend);
    // What a client starts when nobody listens: something that ends at once.
    options = {layout, backend::HostFeatures::detect(), "/bin/true",
               [](const std::string& m) { warnings.push_back(m); }};
    warnings.clear();
  }
  void TearDown() override {
    stop_server();
    std::filesystem::remove_all(directory);
  }

  void start_server() {
    server = fork();
    if (server != 0) return;
    std::signal(SIGCHLD, SIG_DFL);
    ServerOptions o;
    o.directory = directory;
    o.compiler = "/bin/true";
    o.workers = workers;
    o.compile_seconds = 1;
    o.make_compiler = [](const backend::VmLayout&, const backend::HostFeatures&) {
      return std::make_unique<FakeCompiler>();
    };
    _exit(serve(o));
  }
  void stop_server() {
    if (server <= 0) return;
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
    server = 0;
  }
  engine::RegionAnswer answer_to(engine::RegionService& client, u64 pc) {
    engine::RegionAnswer a;
    EXPECT_TRUE(client.submit(pc, region_at(pc), false));
    EXPECT_TRUE(client.collect(a, true));
    return a;
  }

  static inline std::vector<std::string> warnings;
  std::string directory;
  pid_t server = 0;
  u32 workers = 2;
  std::unique_ptr<guest::Frontend> frontend;
  backend::VmLayout layout;
  ClientOptions options;
};

TEST_F(ServiceTest, CompilesAndRefuses) {
  start_server();
  const auto client = make_client(options);
  const auto good = answer_to(*client, 0x1000);
  EXPECT_TRUE(good.compiled) << good.why;
  EXPECT_EQ(good.ticket, 0x1000u);
  EXPECT_EQ(good.code.code, std::vector<u8>(17, 1));
  EXPECT_EQ(good.code.exits.size(), 2u);
  EXPECT_EQ(good.code.faults, (std::vector<backend::RegionFault>{{3, 7}}));
  EXPECT_EQ(good.code.jumps, (std::vector<backend::RegionJump>{{12, 1}, {4, 0}}));
  const auto refused = answer_to(*client, 0x13);
  EXPECT_FALSE(refused.compiled);
  EXPECT_EQ(refused.why, "thirteen");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(ServiceTest, RefusesOffsetsOutsideTheCode) {
  start_server();
  const auto client = make_client(options);
  for (const u64 pc : {0xbad, 0xbad1, 0xbad2}) {
    const auto bad = answer_to(*client, pc);
    EXPECT_FALSE(bad.compiled);
    EXPECT_NE(bad.why.find("outside"), std::string::npos);
  }
}

TEST_F(ServiceTest, CompilesNothingTwice) {
  workers = 1;
  start_server();
  const auto first = make_client(options), second = make_client(options);
  const auto number = [](const engine::RegionAnswer& a) { return a.compiled ? a.code.code.back() : 0; };
  EXPECT_EQ(number(answer_to(*first, 0x1000)), 1);
  EXPECT_EQ(number(answer_to(*first, 0x2000)), 2);
  EXPECT_EQ(number(answer_to(*second, 0x1000)), 1);
  EXPECT_EQ(number(answer_to(*first, 0x1000)), 1);
  // Other surroundings are another request.
  ClientOptions other = options;
  other.layout.base_is_zero = !other.layout.base_is_zero;
  EXPECT_EQ(number(answer_to(*make_client(other), 0x1000)), 1) << "by a compiler made anew";
  EXPECT_EQ(number(answer_to(*first, 0x3000)), 1);
  // What is refused is asked for again.
  EXPECT_EQ(number(answer_to(*first, 0x13)), 0);
  EXPECT_EQ(number(answer_to(*first, 0x13)), 0);
}

TEST_F(ServiceTest, SurvivesTheDeathOfTheService) {
  start_server();
  const auto client = make_client(options);
  EXPECT_TRUE(answer_to(*client, 0x1000).compiled);
  ASSERT_TRUE(client->submit(1, region_at(kEndless), false));
  stop_server();
  engine::RegionAnswer a;
  EXPECT_TRUE(client->collect(a, true));
  EXPECT_FALSE(a.compiled);
  start_server();
  EXPECT_TRUE(answer_to(*client, 0x2000).compiled);
}

TEST_F(ServiceTest, WhatIsKeptNeedsNoMessage) {
  workers = 1;
  start_server();
  const auto client = make_client(options);
  const auto first = answer_to(*client, 0x1000), second = answer_to(*client, 0x2000);
  ASSERT_TRUE(first.compiled && second.compiled);
  EXPECT_TRUE(answer_to(*client, 0x3000).compiled);  // the worker began with it when the others were kept
  kill(server, SIGSTOP);
  EXPECT_EQ(answer_to(*client, 0x1000).code.code, first.code.code);
  EXPECT_EQ(answer_to(*client, 0x2000).code.code, second.code.code);
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t child = fork();
  if (child == 0) _exit(answer_to(*client, 0x2000).compiled ? 42 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  stop_server();
  EXPECT_TRUE(answer_to(*client, 0x1000).compiled);
  start_server();
  EXPECT_TRUE(answer_to(*client, 0x4000).compiled);
}

/// Keeps for each request a reply to the one before, and answers with the number of requests so far.
[[noreturn]] void lie(const std::string& path) {
  sockaddr_un address = {AF_UNIX, {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  listen(listener, 8);
  RegionCache kept(1 << 20);
  u64 before = 0;
  for (int asked = 1;;) {
    const Descriptor client(accept(listener, nullptr, nullptr));
    int fd;
    if (!receive_byte(client.get(), fd)) _exit(1);
    if (fd < 0) {
      send_descriptor(client.get(), kept.descriptor());
      continue;
    }
    Job job(fd);
    std::vector<u8> request;
    if (!job.take(request)) _exit(1);
    backend::RegionCode code;
    code.code.assign(16, 0xc3);
    code.exits = {{backend::RegionExit::Kind::Direct, 0x1234}};
    kept.add(request, encode_reply(code, std::exchange(before, fingerprint(request))));
    job.refuse(std::to_string(asked++), 0, request.size());
  }
}

TEST_F(ServiceTest, WhatIsKeptAndNotSoundIsAskedFor) {
  server = fork();
  if (server == 0) lie(socket_path(directory, options.compiler));
  const auto client = make_client(options);
  for (const char* asked : {"1", "2", "3"}) EXPECT_EQ(answer_to(*client, 0x1000).why, asked);
}

TEST_F(ServiceTest, GuestsThatDoNotWaitNeverMapWhatIsKept) {
  start_server();
  const auto client = make_client(options);
  for (const u64 pc : {0x1000, 0x1000}) {
    engine::RegionAnswer a;
    ASSERT_TRUE(client->submit(pc, region_at(pc), false));
    while (!client->collect(a, false)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(a.compiled);
  }
  std::ifstream maps("/proc/self/maps");
  const std::string all(std::istreambuf_iterator<char>(maps), {});
  EXPECT_EQ(all.find("tiercel-kept"), std::string::npos);
}

TEST_F(ServiceTest, ServesAGuestThatHasNoDescriptorsLeft) {
  start_server();
  const auto client = make_client(options);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<int> taken;
  for (int fd; (fd = dup(0)) >= 0 && fd < 64;) taken.push_back(fd);
  for (const rlim_t limit : {rlim_t{16}, rlim_t{1}}) {
    const rlimit few{limit, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    EXPECT_EQ(answer_to(*client, limit).compiled, limit > 1) << "with one there is no place for a socket and memory";
  }
  setrlimit(RLIMIT_NOFILE, &before);
  for (const int fd : taken) close(fd);
}

TEST_F(ServiceTest, ARegionThatKillsTheCompilerIsRefusedAndTheServiceGoesOn) {
  workers = 1;  // the others' requests wait behind the fatal one
  start_server();
  const auto client = make_client(options), other = make_client(options);
  for (const char* why : {"the compiler died of it (signal 6", "the compiler died of it before"}) {
    ASSERT_TRUE(client->submit(1, region_at(kFatal), false));
    EXPECT_TRUE(answer_to(*other, 0x1000).compiled);
    engine::RegionAnswer a;
    ASSERT_TRUE(client->collect(a, true));
    EXPECT_FALSE(a.compiled);
    EXPECT_EQ(a.why.rfind(why, 0), 0u) << a.why;
  }
  EXPECT_EQ(kill(server, 0), 0);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(ServiceTest, ARegionThatTakesTooLongIsRefusedAndTheServiceGoesOn) {
  workers = 1;
  start_server();
  const auto client = make_client(options);
  const auto slow = answer_to(*client, kEndless);
  EXPECT_FALSE(slow.compiled);
  EXPECT_EQ(slow.why, "the compiler took too long");
  EXPECT_TRUE(answer_to(*client, 0x1000).compiled);
}

TEST_F(ServiceTest, TheLimitsOfTheGuestThatStartsItAreNotTheServices) {
  const auto limited = [](auto resource, rlim_t soft) {
    rlimit limit;
    getrlimit(resource, &limit);
    const rlimit before = std::exchange(limit, {soft, limit.rlim_max});
    setrlimit(resource, &limit);
    return before;
  };
  const rlimit size = limited(RLIMIT_FSIZE, 4096), files = limited(RLIMIT_NOFILE, 12);
  start_server();
  setrlimit(RLIMIT_FSIZE, &size);
  setrlimit(RLIMIT_NOFILE, &files);
  const auto client = make_client(options);
  EXPECT_TRUE(answer_to(*client, 0x1000).compiled);
}

TEST_F(ServiceTest, RequestsThatAreNoneDoNoHarm) {
  start_server();
  const auto client = make_client(options);
  EXPECT_TRUE(answer_to(*client, 0x1000).compiled);
  const std::string path = socket_path(directory, options.compiler),
                    descriptors = "/proc/" + std::to_string(server) + "/fd";
  const auto count = [&] { return std::distance(std::filesystem::directory_iterator(descriptors), {}); };
  const auto before = count();
  // Two descriptors in one message.
  for (int i = 0; i < 20; ++i) {
    int pid;
    const Descriptor s(connect_to(path, pid));
    send_two(s.get());
  }
  // A file, which can shrink while the service reads it.
  const std::string name = directory + "/file";
  std::ofstream(name).close();
  std::filesystem::resize_file(name, kSharedBytes);
  const Descriptor file(open(name.c_str(), O_RDWR));
  const u64 stamp = protocol_stamp();
  ASSERT_EQ(pwrite(file.get(), &stamp, sizeof stamp, 0), 8);
  Job job(dup(file.get()));
  std::vector<u8> request;
  EXPECT_FALSE(job.take(request));
  EXPECT_TRUE(answer_to(*client, 0x2000).compiled);
  EXPECT_LE(count(), before + 1);
}

TEST_F(ServiceTest, AGuestThatCanHaveNoMoreThreadsDoesNotWait) {
  start_server();
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t child = fork();
  if (child == 0) {
    const auto client = make_client(options);
    if (!answer_to(*client, 0x1000).compiled) _exit(1);
    if (unshare(CLONE_NEWPID) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0) _exit(2);
    alarm(5);
    _exit(!answer_to(*client, 0x2000).compiled && warnings.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "no PID namespace can be made";
  EXPECT_EQ(status, 0);
}

TEST_F(ServiceTest, GivesUpWhenNothingStaysAlive) {
  const auto client = make_client(options);
  const auto a = answer_to(*client, 0x1000);
  EXPECT_FALSE(a.compiled);
  EXPECT_FALSE(client->submit(2, region_at(2), false));
  EXPECT_EQ(warnings.size(), 1u);
}

TEST_F(ServiceTest, TheGuestsProcessNeverHasADescriptor) {
  const auto client = make_client(options);
  const auto descriptors = [] {
    const std::filesystem::directory_iterator open("/proc/self/fd");
    return std::distance(begin(open), end(open));
  };
  const auto before = descriptors();
  ASSERT_TRUE(client->submit(1, region_at(1), false));  // nobody listens: the request waits
  EXPECT_EQ(descriptors(), before);
  start_server();
  engine::RegionAnswer a;
  EXPECT_TRUE(client->collect(a, true));
  EXPECT_TRUE(a.compiled);
  EXPECT_EQ(descriptors(), before);
}

TEST_F(ServiceTest, RefusesADirectoryThatOthersCanEnter) {
  chmod(directory.c_str(), 0755);
  const auto client = make_client(options);
  EXPECT_FALSE(client->submit(1, region_at(1), false));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("only this user"), std::string::npos);
}

TEST(Messages, DamagedOnesAreRefusedOrSound) {
  const auto frontend = arm::make_a64_frontend();
  const backend::VmLayout layout = layout_of(*frontend);
  const std::vector<u8> request = encode_request(layout, {}, region_at(0x1000), true);
  backend::RegionCode code;
  code.code.assign(64, 0xc3);
  code.exits = {{backend::RegionExit::Kind::Indirect, 0}};
  code.faults = {{1, 2}, {.host_offset = 5, .exit = 0, .first = 1, .count = 2, .flags = 1}};
  code.places = {{3, 0, 0}, {4, backend::ValuePlace::kStack, 8}, {5, backend::ValuePlace::kConstant, 0}};
  code.constants = {77};
  code.flags = {{}, {ir::Opcode::FlagsSub, ir::Type::I32, 0}};
  code.frame = 16;
  const std::vector<u8> reply = encode_reply(code, 77);
  std::string why;
  Request whole;
  backend::RegionCode back;
  EXPECT_TRUE(decode_request(request, whole));
  EXPECT_TRUE(decode_reply(reply, 77, back, why)) << why;
  EXPECT_FALSE(decode_reply(reply, 78, back, why)) << "the answer to another request";
  EXPECT_EQ(back.faults, code.faults);
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<u8> damaged = round % 2 ? request : reply;
    for (unsigned n = 1 + random() % 4; n > 0; --n) damaged[random() % damaged.size()] = static_cast<u8>(random());
    if (round % 5 == 0) damaged.resize(random() % damaged.size());
    Request r;
    backend::RegionCode c;
    if (round % 2) {
      decode_request(damaged, r);
    } else if (round % 4 == 0 && damaged.size() > sizeof(u64)) {
      // A fingerprint that fits: what lies behind it is looked at.
      const u64 check = fingerprint(std::span(damaged).subspan(sizeof(u64)));
      std::memcpy(damaged.data(), &check, sizeof check);
      if (!decode_reply(damaged, 77, c, why)) continue;
      for (const backend::RegionFault& f : c.faults) {
        if (f.landing_offset != backend::RegionFault::kNoLanding) {
          EXPECT_LT(f.landing_offset, c.code.size());
          continue;
        }
        EXPECT_LT(f.exit, c.exits.size());
        EXPECT_LT(f.flags, c.flags.size());
        EXPECT_LE(u64{f.first} + f.count, c.places.size());
      }
      for (const backend::ValuePlace& p : c.places) {
        if (p.where == backend::ValuePlace::kStack) {
          EXPECT_LT(static_cast<u32>(s32{p.at}), c.frame);
        }
        if (p.where == backend::ValuePlace::kConstant) {
          EXPECT_LT(static_cast<u32>(s32{p.at}), c.constants.size());
        }
      }
      for (const backend::RegionJump& j : c.jumps) EXPECT_LE(j.offset + 4, c.code.size());
    } else if (damaged != reply) {
      EXPECT_FALSE(decode_reply(damaged, 77, c, why));
    }
  }
}

TEST(Messages, NotesOfAccessesNameInsts) {
  const auto frontend = arm::make_a64_frontend();
  const backend::VmLayout layout = layout_of(*frontend);
  const auto decodes = [&](u32 block, u32 inst) {
    ir::Region region = region_at(0x1000);
    region.accesses = {{.page = 5, .block = block, .inst = inst, .seen = 9, .page_changes = 1, .distance_changes = 1}};
    Request r;
    const bool ok = decode_request(encode_request(layout, {}, region, false), r);
    EXPECT_TRUE(!ok || (r.region.accesses.size() == 1 && r.region.accesses[0].page == 5));
    return ok;
  };
  const auto last = static_cast<u32>(region_at(0x1000).blocks[0].insts.size()) - 1;
  EXPECT_TRUE(decodes(0, last));
  EXPECT_FALSE(decodes(0, last + 1));
  EXPECT_FALSE(decodes(~0u, 0));
}

TEST(Messages, StopsThatLeadNowhereAreRefused) {
  using backend::ValuePlace;
  backend::RegionCode good;
  good.code.assign(64, 0xc3);
  good.exits = {{backend::RegionExit::Kind::Fault, 0x1000}};
  good.faults = {{.host_offset = 5, .exit = 0, .first = 0, .count = 1, .flags = 0}};
  good.places = {{3, 15, 0}};
  good.constants = {77};
  good.flags = {{}};
  good.frame = 16;
  const auto sound = [&](auto change) {
    backend::RegionCode code = good, back;
    change(code);
    std::string why;
    return decode_reply(encode_reply(code, 77), 77, back, why);
  };
  EXPECT_TRUE(sound([](backend::RegionCode&) {}));
  EXPECT_TRUE(sound([](backend::RegionCode& c) { c.places[0] = {3, ValuePlace::kStack, 12}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.places[0] = {3, ValuePlace::kStack, 16}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.places[0] = {3, ValuePlace::kStack, -8}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.places[0] = {3, ValuePlace::kConstant, 1}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.places[0] = {3, ValuePlace::kConstant + 1, 0}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.faults[0].exit = 1; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.faults[0].first = 1; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.faults[0].count = 2; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.faults[0].flags = 1; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.flags[0] = {ir::Opcode::Add, ir::Type::I32, 0}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.flags[0] = {ir::Opcode::FlagsSub, ir::Type::F64, 0}; }));
  EXPECT_FALSE(sound([](backend::RegionCode& c) { c.frame = ~u32{0}; }));
}

}  // namespace
}  // namespace tiercel::service
