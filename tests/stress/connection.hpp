// A blocking client connection to a port of this machine, as bare as can be: what goes out and what comes in are bytes
// and messages. Where the connection ends or says nothing for a minute, the exceptions below tell it.
#pragma once

#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/tags.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace pgsluice::stress {

struct Lost : std::runtime_error {
    using runtime_error::runtime_error;
};
struct Hung : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Message {
    wire::BackendTag tag;
    ByteView body;  // until the next message is asked for
};

class Connection {
  public:
    explicit Connection(std::uint16_t port);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Without a password, up to the first ReadyForQuery.
    void log_in(const std::string& user, const std::string& database);
    const wire::BackendKeyData& key() const { return key_; }
    ByteView secret() const { return secret_; }

    void send(ByteView bytes);
    Message next();
    // Waits until the other side has closed, dropping what it says before.
    void wait_for_end();
    // The end by RST instead of FIN.
    void reset();

  private:
    std::size_t receive();  // bytes appended; 0 at the end

    int socket_ = -1;
    Bytes buffer_;
    std::size_t read_ = 0;  // of buffer_
    wire::BackendKeyData key_;
    Bytes secret_;
};

}  // namespace pgsluice::stress
