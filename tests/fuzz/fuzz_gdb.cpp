// What a debugger sends: the frames, then the packets in them. Whatever it is, the answer fits into a packet.
#include "base/check.h"
#include "debug/gdb/packet.h"
#include "debug/gdb/stub.h"
#include "tests/debug/fake_target.h"

extern "C" int LLVMFuzzerTestOneInput(const tiercel::u8* data, std::size_t size) {
  using namespace tiercel::debug;
  gdb::FakeTarget target;
  gdb::Stub stub(target);
  gdb::PacketReader reader;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  // In pieces, as a socket gives them.
  for (std::size_t piece = 1; !input.empty(); piece = piece * 7 % 61) {
    reader.feed(input.substr(0, piece));
    input.remove_prefix(std::min(piece, input.size()));
    for (;;) {
      const gdb::PacketReader::Kind kind = reader.next();
      if (kind == gdb::PacketReader::Kind::Impossible) return 0;
      if (kind == gdb::PacketReader::Kind::None) break;
      if (kind != gdb::PacketReader::Kind::Packet) continue;
      const auto answer = stub.answer(reader.payload());
      CHECK(!answer || gdb::frame(*answer).size() <= gdb::kMaxPayload + 4);
      if (!answer) stub.stop_reply({.kind = StopEvent::Kind::Stepped, .thread = 1});
    }
  }
  return 0;
}
