// Snapshots as files: a head with the format's number and a checksum, then all sections as one zstd frame.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "system/snapshot/snapshot.h"

namespace tiercel::system {

/// The machine's parts, in either direction.
using SnapshotContents = std::function<Result<void>(Snapshot&)>;
/// Called now and then with the bytes that went through so far, unpacked.
using SnapshotProgress = std::function<void(u64 bytes)>;

/// The file appears, or is replaced, when all of it is on the disk. An error leaves what was there.
Result<void> save_snapshot(const std::string& path, const SnapshotContents& contents, const SnapshotProgress& progress);

/// Nothing of the contents is asked for unless the checksum is right. After an error the machine is good for nothing.
Result<void> load_snapshot(const std::string& path, const SnapshotContents& contents, const SnapshotProgress& progress);

}  // namespace tiercel::system
