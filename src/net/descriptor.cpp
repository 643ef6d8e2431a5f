#include <pgsluice/net/descriptor.hpp>

#include <unistd.h>

namespace pgsluice::net {

void Descriptor::reset(int fd) {
    // Linux releases the descriptor even where close() reports an error, so there is nothing to retry.
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

}  // namespace pgsluice::net
