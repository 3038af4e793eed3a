#include "debug/gdb/stub.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "debug/gdb/packet.h"
#include "tests/debug/fake_target.h"

namespace tiercel::debug::gdb {
namespace {

class StubTest : public testing::Test {
 protected:
  FakeTarget target;
  Stub stub{target};
  std::string ask(const std::string& packet) { return stub.answer(packet).value_or("(runs)"); }
};

TEST_F(StubTest, SaysWhatItCan) {
  EXPECT_EQ(ask("qSupported:multiprocess+;swbreak+"),
            "PacketSize=10000;QStartNoAckMode+;QPassSignals+;vContSupported+;swbreak+;"
            "qXfer:features:read+;qXfer:threads:read+;qXfer:exec-file:read+;exec-events+");
  EXPECT_FALSE(stub.follows_programs());
  ask("qSupported:exec-events+");
  EXPECT_TRUE(stub.follows_programs());
  EXPECT_TRUE(stub.acknowledges());
  EXPECT_EQ(ask("QStartNoAckMode"), "OK");
  EXPECT_FALSE(stub.acknowledges());
  EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S;r");
  for (const char* unknown : {"vMustReplyEmpty", "qTStatus", "QNonStop:1", "!", "R00", "vRun;2f", "~", "bs", ""})
    EXPECT_EQ(ask(unknown), "") << unknown;
}

TEST_F(StubTest, StopReplies) {
  ask("qSupported:swbreak+");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Breakpoint, .thread = 2}),
            "T053:0800000000000000;thread:2;swbreak:;");
  EXPECT_EQ(ask("?"), "T053:0800000000000000;thread:2;swbreak:;");
  EXPECT_EQ(ask("qC"), "QC2");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Stepped, .thread = 1}), "T053:0400000000000000;thread:1;");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Watch, .thread = 1, .address = 0x1234, .writes = true}),
            "T053:0400000000000000;thread:1;watch:1234;");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Watch, .thread = 1, .address = 0x1234, .reads = true}),
            "T053:0400000000000000;thread:1;rwatch:1234;");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Watch, .thread = 1, .address = 1, .reads = true, .writes = true}),
            "T053:0400000000000000;thread:1;awatch:1;");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Executed, .thread = 1}),
            "T05exec:2f62696e2f6775657374;thread:1;");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Signal, .thread = 1, .number = 10}).substr(0, 3), "T1e");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Interrupted, .thread = 1}).substr(0, 3), "T02");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Exited, .number = 300}), "W2c");
  EXPECT_EQ(stub.stop_reply({.kind = StopEvent::Kind::Killed, .number = 7}), "X0a");
}

TEST_F(StubTest, GoesOnWhereAnotherOneStopped) {
  ask("qSupported:swbreak+;exec-events+");
  ask("QStartNoAckMode");
  ask("QPassSignals:e;1e");
  ASSERT_EQ(ask("vFile:open:" + to_hex("/guest/dev/null") + ",0,0"), "F1");
  Handover handover = stub.handover();
  ASSERT_EQ(handover.files.size(), 1u);
  for (int* fd : handover.descriptors()) *fd = dup(handover.files.begin()->second);
  handover.where = "unix:/a,b:c";
  handover.file = "/a,b:c";
  const std::string word = handover.pack();
  EXPECT_EQ(word.find(','), std::string::npos);
  const std::optional<Handover> unpacked = Handover::unpack(word);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(unpacked->pack(), word);
  EXPECT_EQ(unpacked->file, "/a,b:c");
  close(handover.listener);
  close(handover.connection);

  FakeTarget next_target;
  Stub next(next_target, *unpacked);
  EXPECT_FALSE(next.acknowledges());
  EXPECT_TRUE(next.follows_programs());
  EXPECT_EQ(next_target.passed, target.passed);
  EXPECT_EQ(next.answer("vFile:pread:1,10,0"), "F0;");
  EXPECT_EQ(next.answer("vFile:open:" + to_hex("/guest/dev/null") + ",0,0"), "F2");
  EXPECT_EQ(next.stop_reply({.kind = StopEvent::Kind::Breakpoint, .thread = 2}),
            "T053:0800000000000000;thread:2;swbreak:;");
  for (const char* bad : {"", "1", "1:2:1:1:0:1:1:", "1:2:1:1:0:1:1:5:", "ffffffff:2:1:1:0:1:0::", "1:2:1:1:0:1:0:6",
                          "1:2:1:1:0:1:ffffffffffffffff:1:2::"})
    EXPECT_FALSE(Handover::unpack(bad)) << bad;
}

TEST_F(StubTest, Threads) {
  EXPECT_EQ(ask("qfThreadInfo"), "m1,2");
  EXPECT_EQ(ask("qsThreadInfo"), "l");
  EXPECT_EQ(ask("T2"), "OK");
  EXPECT_EQ(ask("T3").substr(0, 2), "E.");
  EXPECT_EQ(ask("qThreadExtraInfo,2"), "63");
  EXPECT_EQ(ask("qXfer:threads:read::0,1000"),
            "l<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"1\" name=\"a&#60;b\"/>\n<thread id=\"2\" name=\"c\"/>\n"
            "</threads>\n");
  EXPECT_EQ(ask("Hg2"), "OK");
  EXPECT_EQ(ask("p0"), "0500000000000000");
  EXPECT_EQ(ask("Hg0"), "OK");
  EXPECT_EQ(ask("p0"), "0100000000000000");
  EXPECT_EQ(ask("Hc-1"), "OK");
  for (const char* bad : {"H", "Hg", "Hg9", "Hgx", "Hgp1.1"}) EXPECT_EQ(ask(bad).substr(0, 2), "E.") << bad;
}

TEST_F(StubTest, Registers) {
  EXPECT_EQ(ask("g"), "0100000000000000020000000000000003000000000000000400000000000000");
  EXPECT_EQ(ask("P1=ff00000000000000"), "OK");
  EXPECT_EQ(target.values[0][1], 0xffu);
  EXPECT_EQ(ask("P3=ff00000000000000").substr(0, 2), "E.");
  EXPECT_EQ(ask("G11000000000000001200000000000000"), "OK");
  EXPECT_EQ(target.values[0][0], 0x11u);
  // The last one cannot be written, but it is not changed either.
  EXPECT_EQ(ask("G0100000000000000020000000000000003000000000000000400000000000000"), "OK");
  EXPECT_EQ(ask("G0100000000000000020000000000000003000000000000000500000000000000").substr(0, 2), "E.");
  for (const char* bad : {"p4", "p", "pffffffffffffffff"}) EXPECT_EQ(ask(bad), "E01") << bad;
  for (const char* bad : {"P1", "P1=f", "P9=00", "P=00", "G0", "G00"}) EXPECT_EQ(ask(bad).substr(0, 2), "E.") << bad;
}

TEST_F(StubTest, Memory) {
  EXPECT_EQ(ask("M1010,3:010203"), "OK");
  EXPECT_EQ(ask("m100f,5"), "0001020300");
  EXPECT_EQ(ask(std::string("X1011,2:}#", 10)), "OK");
  EXPECT_EQ(target.memory[0x11], '}');
  EXPECT_EQ(ask("X0,0:"), "OK");
  EXPECT_EQ(ask("m10fe,10"), "0000");  // as far as there is any
  EXPECT_EQ(ask("m0,1"), "E01");
  EXPECT_EQ(ask("mffffffffffffffff,ffffffffffffffff"), "E01");
  EXPECT_LE(ask("m1000,ffffffffffffffff").size(), kMaxPayload);
  for (const char* bad : {"m", "m1", "m1,", "mx,1"}) EXPECT_EQ(ask(bad), "E01") << bad;
  for (const char* bad : {"M1010,3:0102", "M1010:01", "X1010,2:a", "M0,1:00", "M10ff,2:0000"})
    EXPECT_EQ(ask(bad).substr(0, 2), "E.") << bad;
}

TEST_F(StubTest, Traps) {
  EXPECT_EQ(ask("Z0,10,4"), "OK");
  EXPECT_EQ(ask("Z1,20,4;X3,220027"), "OK");
  EXPECT_EQ(ask("z0,10,4"), "OK");
  EXPECT_EQ(ask("Z2,1,8"), "OK");
  EXPECT_EQ(ask("Z3,1,8"), "OK");
  EXPECT_EQ(ask("z4,1,8"), "OK");
  const std::vector<std::string> expected = {"break 16",  "break 32",  "no break 16",
                                             "watch w 9", "watch r 9", "no watch r w 9"};
  EXPECT_EQ(target.log, expected);
  EXPECT_EQ(ask("Z5,1,8"), "");
  EXPECT_EQ(ask("Z0,bad,4").substr(0, 2), "E.");
  for (const char* bad : {"Z", "Z0", "Z0,", "Z0,1", "Z0,1,"}) EXPECT_EQ(ask(bad).substr(0, 2), "E.") << bad;
}

TEST_F(StubTest, Resuming) {
  EXPECT_EQ(ask("vCont;s:2;c"), "(runs)");
  ASSERT_EQ(target.actions.size(), 2u);
  EXPECT_EQ(target.actions[0].thread, ThreadId{2});
  EXPECT_EQ(target.actions[0].resume.how, Resume::How::Step);
  EXPECT_EQ(target.actions[1].thread, std::nullopt);
  EXPECT_EQ(target.actions[1].resume.how, Resume::How::Continue);
  EXPECT_EQ(ask("vCont;C1e:1;r10,20:2"), "(runs)");
  EXPECT_EQ(target.actions[0].resume.signal, 10);
  EXPECT_EQ(target.actions[1].resume.range_start, 0x10u);
  EXPECT_EQ(target.actions[1].resume.range_end, 0x20u);
  EXPECT_EQ(ask("vCont;c:-1"), "(runs)");
  EXPECT_EQ(target.actions[0].thread, std::nullopt);
  EXPECT_EQ(ask("c"), "(runs)");
  EXPECT_EQ(ask("S0b"), "(runs)");
  EXPECT_EQ(target.actions[0].resume.signal, 11);
  EXPECT_EQ(target.actions[0].resume.how, Resume::How::Step);
  EXPECT_EQ(target.actions[1].resume.how, Resume::How::Continue);
  for (const char* bad : {"vCont;", "vCont;x", "vCont;c:9", "vCont;c:", "vCont;C", "vCont;r1", "vCont;r1,:1", "c1000",
                          "C", "vCont;cx", "vCont;;c", "vCont;C1ff"})
    EXPECT_EQ(ask(bad).substr(0, 2), "E.") << bad;
  EXPECT_EQ(ask("QPassSignals:e;1e;ff"), "OK");
  EXPECT_EQ(target.passed, u64{1} << 13 | u64{1} << 9);
  EXPECT_EQ(ask("QPassSignals:"), "OK");
  EXPECT_EQ(target.passed, 0u);
  EXPECT_EQ(ask("QPassSignals:x").substr(0, 2), "E.");
}

TEST_F(StubTest, Endings) {
  EXPECT_EQ(ask("vKill;1"), "OK");
  EXPECT_TRUE(stub.ended());
  EXPECT_TRUE(stub.kills());
  Stub other(target);
  EXPECT_EQ(other.answer("D"), "OK");
  EXPECT_TRUE(other.ended());
  EXPECT_FALSE(other.kills());
  EXPECT_TRUE(target.log.empty());  // both only after the answer is sent
}

TEST_F(StubTest, Transfers) {
  EXPECT_EQ(ask("qXfer:features:read:target.xml:0,4"), "m<tar");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:4,100"), "lget/>");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:400,100"), "l");
  EXPECT_EQ(ask("qXfer:features:read:other.xml:0,100"), "E00");
  EXPECT_EQ(ask("qXfer:exec-file:read::0,100"), "l/bin/guest");
  EXPECT_EQ(ask("qXfer:auxv:read::0,100"), "E00");
  EXPECT_EQ(ask("qXfer:siginfo:read::0,100"), "");
  EXPECT_EQ(ask("qXfer:features:write:target.xml:0,100"), "");
  EXPECT_EQ(ask("qXfer:features:read:target.xml:0").substr(0, 2), "E.");
}

TEST_F(StubTest, Files) {
  const auto open = [&](const std::string& path, const char* flags) {
    return ask("vFile:open:" + to_hex(path) + "," + flags + ",1c0");
  };
  EXPECT_EQ(ask("vFile:setfs:0"), "F0");
  EXPECT_EQ(open("/nowhere", "0"), "F-1,2");
  EXPECT_EQ(open("/guest/proc/self/comm", "1"), "F-1,1e");  // for writing
  EXPECT_EQ(open(std::string("/guest/\0", 8), "0"), "F-1,16");
  EXPECT_EQ(open("/guest/proc/version", "0"), "F1");
  EXPECT_EQ(ask("vFile:pread:1,5,0"), "F5;Linux");
  EXPECT_EQ(ask("vFile:pread:1,5,ffffffffffffffff"), "F-1,16");
  EXPECT_EQ(ask("vFile:pread:2,5,0"), "F-1,9");
  EXPECT_EQ(ask("vFile:fstat:1").size(), 4u + 64);
  EXPECT_EQ(ask("vFile:readlink:" + to_hex("/guest/proc/self/fd/x")).substr(0, 4), "F-1,");
  EXPECT_EQ(ask("vFile:unlink:" + to_hex("/guest/tmp/x")), "F-1,1");
  EXPECT_EQ(ask("vFile:close:1"), "F0");
  EXPECT_EQ(ask("vFile:close:1"), "F-1,9");
  EXPECT_EQ(ask("vFile:stat:" + to_hex("/guest/")), "");
  for (int i = 0; i < 64; ++i) EXPECT_NE(open("/guest/proc/version", "0").substr(0, 3), "F-1");
  EXPECT_EQ(open("/guest/proc/version", "0"), "F-1,18");
}

}  // namespace
}  // namespace tiercel::debug::gdb
