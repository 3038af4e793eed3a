// A disk image whose bytes are the disk's.
#pragma once

#include <memory>

#include "system/host/block_store.h"
#include "system/host/host_file.h"

namespace tiercel::system {

std::unique_ptr<BlockStore> make_raw_disk(HostFile file);

}  // namespace tiercel::system
