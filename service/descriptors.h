// Descriptors from and to other processes: each in a message of one byte.
#pragma once

namespace tiercel::service {

bool send_descriptor(int socket, int fd);
/// The next message's descriptor, or -1: there is no such message, or the other side is gone.
int receive_descriptor(int socket);
/// The same where a message may come without one: `fd` is then -1. False: there is no such message.
bool receive_byte(int socket, int& fd);

/// Is it memory (of memfd_create) with these seals? Files have none, and huge pages may be missing where they are
/// mapped.
bool is_sealed_memory(int fd, int seals);

}  // namespace tiercel::service
