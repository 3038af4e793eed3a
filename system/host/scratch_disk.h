// A disk whose changes are forgotten: they go to a file without a name, and the disk below stays as it is.
#pragma once

#include <memory>

#include "system/host/block_store.h"

namespace tiercel::system {

/// The file is in $TMPDIR, or /var/tmp.
Result<std::unique_ptr<BlockStore>> make_scratch_disk(std::unique_ptr<BlockStore> below);

}  // namespace tiercel::system
