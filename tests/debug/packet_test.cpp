#include "debug/gdb/packet.h"

#include <gtest/gtest.h>

#include "debug/gdb/signals.h"

namespace tiercel::debug::gdb {
namespace {

using Kind = PacketReader::Kind;

TEST(Packet, RoundTripWithEscapes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const std::string sent = frame(bytes);
  PacketReader reader;
  for (std::size_t i = 0; i + 1 < sent.size(); ++i) {
    reader.feed(std::string_view(sent).substr(i, 1));
    EXPECT_EQ(reader.next(), Kind::None) << i;
  }
  reader.feed(std::string_view(sent).substr(sent.size() - 1));
  ASSERT_EQ(reader.next(), Kind::Packet);
  EXPECT_EQ(reader.payload(), bytes);
  EXPECT_EQ(reader.next(), Kind::None);
}

TEST(Packet, WhatElseArrives) {
  PacketReader reader;
  reader.feed("+-\003$OK#9a$OK#9b$#00$}#7d$OK#g0garbage");
  EXPECT_EQ(reader.next(), Kind::Resend);
  EXPECT_EQ(reader.next(), Kind::Interrupt);
  EXPECT_EQ(reader.next(), Kind::Packet);
  EXPECT_EQ(reader.payload(), "OK");
  EXPECT_EQ(reader.next(), Kind::Damaged);
  EXPECT_EQ(reader.next(), Kind::Packet);
  EXPECT_EQ(reader.payload(), "");
  EXPECT_EQ(reader.next(), Kind::Packet);  // an escape of nothing
  EXPECT_EQ(reader.payload(), "}");
  EXPECT_EQ(reader.next(), Kind::Damaged);
  EXPECT_EQ(reader.next(), Kind::None);
}

TEST(Packet, TooLong) {
  PacketReader reader;
  reader.feed("$" + std::string(2 * kMaxPayload, 'a'));
  EXPECT_EQ(reader.next(), Kind::Impossible);
  PacketReader other;
  const std::string plain(kMaxPayload + 1, 'a');
  other.feed(frame(plain));
  EXPECT_EQ(other.next(), Kind::Impossible);
}

TEST(Packet, Numbers) {
  EXPECT_EQ(Cursor("ffffffffffffffff").number(), ~u64{0});
  EXPECT_EQ(Cursor("10000000000000000").number(), std::nullopt);
  EXPECT_EQ(Cursor("").number(), std::nullopt);
  EXPECT_EQ(Cursor("xyz").number(), std::nullopt);
  Cursor words("a:bc::");
  EXPECT_EQ(words.until(':'), "a");
  EXPECT_EQ(words.until(':'), "bc");
  EXPECT_EQ(words.until(':'), "");
  EXPECT_TRUE(words.at_end());
  EXPECT_EQ(from_hex("0aF"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_EQ(from_hex("4a4B"), "JK");
  EXPECT_EQ(to_hex("JK"), "4a4b");
}

TEST(Packet, Signals) {
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal == 16) continue;  // SIGSTKFLT, which the protocol does not have
    EXPECT_EQ(signal_from_gdb(signal_to_gdb(signal)), signal);
  }
  EXPECT_EQ(signal_to_gdb(10), 30);  // SIGUSR1
  EXPECT_EQ(signal_to_gdb(7), 10);   // SIGBUS
  EXPECT_EQ(signal_from_gdb(143), 0);
  EXPECT_EQ(signal_from_gdb(0), 0);
  EXPECT_EQ(signal_from_gdb(255), 0);
}

}  // namespace
}  // namespace tiercel::debug::gdb
