// Addresses that clients connect to. A ListenAddress holds an address for this process; sockets that listen on it are
// opened from it, one per worker for TCP, one in all for Unix. An Acceptor takes connections from one such socket.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/net/descriptor.hpp>
#include <pgsluice/net/error.hpp>
#include <pgsluice/net/socket_options.hpp>

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::net {

// A TCP address and port. The first socket listens without SO_REUSEPORT, so the kernel itself refuses it where anyone
// else listens, another pgsluice included; only then is the option set, and lets the other workers' sockets join.
class TcpAddress {
  public:
    // `address` as in the configuration: "0.0.0.0", "10.0.0.1", "::" (IPv6 only). Port 0 takes a free one.
    // The error reads "could not listen on 0.0.0.0:5432: Address already in use".
    static Outcome<TcpAddress> listen(const std::string& address, std::uint16_t port, const SocketOptions& options);

    std::uint16_t port() const { return port_; }
    // A listening socket, non-blocking; the first call hands out the one that listen() opened. The kernel spreads new
    // connections over all of them, so each must have an acceptor.
    Outcome<Descriptor> open();

  private:
    TcpAddress() = default;
    Descriptor first_;
    Address address_;
    std::uint16_t port_ = 0;
    SocketOptions options_;
};

// DIRECTORY/.s.PGSQL.PORT with its .lock file beside it, made as PostgreSQL makes them: files that a dead process left
// are replaced, a live owner is refused, and so is what stands in the place of a .lock file and is none. Both are
// unlinked when the object goes.
class UnixAddress {
  public:
    static Outcome<UnixAddress> listen(const std::string& directory, std::uint16_t port, mode_t mode);
    // The same by a name of one's own. What is there and is no socket is left alone, and is an error.
    static Outcome<UnixAddress> listen_at(const std::string& path, mode_t mode);
    UnixAddress(UnixAddress&&) noexcept = default;
    UnixAddress& operator=(UnixAddress&&) = delete;
    ~UnixAddress();

    const std::string& path() const { return path_; }
    // The listening socket; once.
    Descriptor open() { return std::move(socket_); }

  private:
    UnixAddress() = default;
    static Outcome<UnixAddress> make(const std::string& path, const std::string& directory, std::uint16_t port,
                                     mode_t mode);
    Descriptor socket_;
    Descriptor lock_;   // holds an flock on the lock file
    std::string path_;  // empty after a move
    std::string lock_path_;
};

}  // namespace pgsluice::net
