// A client's first packets, before anybody knows who it is: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage.
// Rules and texts are those of PostgreSQL 15 (ProcessStartupPacket in src/backend/postmaster/postmaster.c). At most one
// of each request per connection; the identity is set once, by the StartupMessage that ends this machine.
//
// Driver: read bytes, call resume(buffer, out), drop `consumed` bytes from the front, send `out`, obey the action.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/startup_options.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::protocol {

// What a client wants to be sent (`replication` in its StartupMessage): nothing but answers; the whole WAL; or,
// connected to a database, its changes.
enum class Replication : std::uint8_t { none, physical, logical };

// Who a client says it is and what it asked for. Nothing in it has been checked against a password yet.
struct ClientIdentity {
    std::string user;              // cut to 63 bytes, as PostgreSQL does
    std::string database;          // the user's name where none was given; cut likewise
    std::string application_name;  // as PostgreSQL would show it: 63 bytes of printable ASCII
    // Everything else, in the order in which PostgreSQL applies it: first what `options` says, then the other
    // parameters. Names are in lower case (they are not case-sensitive); of two equal names the last stays.
    std::vector<wire::Setting> settings;
    Replication replication = Replication::none;
    std::uint16_t protocol_minor = 0;  // what is spoken: what the client asked for, or the newest that we know
};

class ClientStartup {
  public:
    struct NeedMore {};
    struct StartTls {};  // `out` ends in the 'S'; resume with an empty buffer when the handshake is done
    struct Authenticate {
        ClientIdentity identity;
    };
    struct Cancel {  // no reply, ever: act on it and close
        std::int32_t process_id = 0;
        Bytes secret;
    };
    struct Close {
        std::optional<wire::SqlError> error;  // is in `out` already; nullopt: PostgreSQL closes without a word
        std::string reason;                   // for the log
        bool lacks_tls = false;               // which the listener requires
    };
    using Action = std::variant<NeedMore, StartTls, Authenticate, Cancel, Close>;
    struct Step {
        std::size_t consumed = 0;
        Action action;
    };

    explicit ClientStartup(config::ListenerTlsMode tls) : tls_(tls) {}

    // Whether a connection that begins with this byte begins with TLS and not with a packet (libpq's
    // sslnegotiation=direct, PostgreSQL 17): a handshake record, which no packet's length looks like.
    static constexpr bool begins_with_tls(char first) { return first == '\x16'; }
    // In place of StartTls, when such a handshake is done. The client must have agreed on the protocol "postgresql"
    // (ALPN), lest a server of another protocol be made to read what was meant for us.
    void begin_encrypted();

    // `buffer`: all unread bytes. Bytes behind a StartupMessage stay: they are the client's next messages.
    Step resume(ByteView buffer, Bytes& out);

    bool encrypted() const { return encrypted_; }

  private:
    enum class State : std::uint8_t { open, tls_requested, finished };

    Action on_packet(const wire::StartupPacket& packet, std::size_t behind, Bytes& out);
    Action on_ssl_request(std::size_t behind, Bytes& out);
    Action on_gss_request(std::size_t behind, Bytes& out);
    Action on_startup(const wire::StartupMessage& message, Bytes& out);
    Close refuse(wire::SqlError error, Bytes& out);
    Action close(const char* reason);

    const config::ListenerTlsMode tls_;
    State state_ = State::open;
    bool ssl_answered_ = false, gss_answered_ = false, encrypted_ = false;
    bool injected_ = false;  // bytes came behind the SSLRequest, in clear
};

}  // namespace pgsluice::protocol
