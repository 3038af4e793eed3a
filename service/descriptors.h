// A descriptor in a message of one byte.
#pragma once

namespace tiercel::service {

bool send_descriptor(int socket, int fd);
/// The next message's descriptor, or -1: there is no such message, or the other side is gone.
int receive_descriptor(int socket);

}  // namespace tiercel::service
