// One client or server connection: plain TCP, Unix or TLS behind one type. It implements Peer and lives in two phases.
//
// Setup: coroutines read, write and shake hands, each call with a deadline. Reads never take more from the connection
// than they return. One operation at a time. Relay: start() hands the connection to a Sink, and from then on events
// drive it. The sink is called from the loop only, never from inside a call on the link, and from inside its callbacks
// it may do anything to any link: write, pause, close, drop the LinkPtr. (Only detach() must wait until the link's own
// callback has returned.)
//
// Ownership: whoever holds the LinkPtr. Dropping it is allowed anywhere on the worker's thread: the connection is
// closed and the sink hears nothing more at once, the memory goes a turn of the loop later. A link that had been
// close()d before it was dropped lives on by itself until what it owes is sent or its time is up.
//
// An idle link holds no buffer, no timer and no coroutine. Worker thread only.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/peer.hpp>
#include <pgsluice/base/result.hpp>
#include <pgsluice/net/byte_queue.hpp>
#include <pgsluice/net/descriptor.hpp>
#include <pgsluice/net/error.hpp>
#include <pgsluice/net/reactor.hpp>
#include <pgsluice/net/tls_context.hpp>

#include <boost/asio/awaitable.hpp>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace pgsluice::net {

class Link;
class Readiness;
class TlsStream;
struct Io;

struct DropLink {
    void operator()(Link* link) const;
};
using LinkPtr = std::unique_ptr<Link, DropLink>;

struct AbandonReadiness {
    void operator()(Readiness* readiness) const;
};
struct FreeTlsStream {
    void operator()(TlsStream* stream) const;
};
using TlsStreamPtr = std::unique_ptr<TlsStream, FreeTlsStream>;

// A connection at rest as a value: what is needed to go on with it on another worker.
struct LinkParts {
    Descriptor socket;
    TlsStreamPtr tls;  // nullptr on a plain connection
    Side side = Side::client;
    Address remote;
    std::uint16_t local_port = 0;
};

// How much a link receives in a row, which BulkReads (src/net) looks after.
struct Stream {
    enum class Mode : std::uint8_t {
        plain,
        bulk,     // the kernel waits for a large portion
        flowing,  // and one has come since the last tick
    };
    std::uint32_t bytes = 0;  // since the last short read, in plain mode
    Mode mode = Mode::plain;
};

// What clients and servers of PostgreSQL agree on by ALPN.
inline constexpr std::string_view alpn_protocol = "postgresql";

// What a TLS handshake has settled.
struct TlsFacts {
    std::string version;  // "TLSv1.3"
    std::string cipher;   // "TLS_AES_256_GCM_SHA384"
    int cipher_bits = 0;
    std::string server_name;        // SNI that the client sent; empty without
    std::string alpn;               // protocol agreed on; empty without
    bool peer_certificate = false;  // the peer sent one and it was verified
    std::string common_name;        // of its subject; empty without, and where it holds a NUL
    // tls-server-end-point (RFC 5929 section 4): the hash of the server's certificate, whichever side that is. Empty
    // where the certificate's signature names no hash, so that there is none to bind to.
    std::string server_end_point;
};

class Link final : public Peer, private Deadlined {
  public:
    // Takes a connected socket.
    static LinkPtr create(Reactor& reactor, Descriptor socket, Side side);
    // Takes a connection that another link gave up.
    static LinkPtr attach(Reactor& reactor, LinkParts parts);

    // --- Setup. Errors: asio's eof, timed_out, operation_aborted (closed meanwhile), or what the system says. A
    // `never` deadline waits for ever. Several reads may follow a failed one only to learn the same.

    // At least one byte, at most what fits.
    boost::asio::awaitable<Result<std::size_t>> read_some(std::span<char> into, TimePoint until);
    // What read_some would give, left where it is. Not inside TLS.
    boost::asio::awaitable<Result<std::size_t>> peek_some(std::span<char> into, TimePoint until);
    boost::asio::awaitable<error_code> read_exactly(std::span<char> into, TimePoint until);
    // Returns when the kernel has taken everything, and everything written before.
    boost::asio::awaitable<error_code> write_all(ByteView bytes, TimePoint until);
    // A handshake that fails by itself (a certificate, a version, a host that cannot be checked) is connection_aborted.
    boost::asio::awaitable<Outcome<void>> accept_tls(std::shared_ptr<const TlsServerContext> context, TimePoint until);
    // `host` is what the certificate is checked against, and is sent as SNI unless it is an IP address.
    boost::asio::awaitable<Outcome<void>> connect_tls(std::shared_ptr<const TlsClientContext> context, std::string host,
                                                      TimePoint until);
    // Bytes that lie unread in the kernel. After an SSLRequest there must be none: they came in clear text, so anyone
    // may have written them.
    std::size_t unread_bytes() const;

    // --- Relay.

    // Ends the setup phase. `unread` is what setup had read beyond its end: the sink sees it first. Unless reading is
    // paused, the first on_bytes comes from the loop at the earliest.
    void start(Sink& sink, ByteView unread = {});

    void write(ByteView bytes) override;
    bool congested() const override { return !out_.empty(); }
    void pause(Pause reason) override;
    void resume(Pause reason) override;
    void yield() override;
    void close() override;
    void reset() override;

    // A peer that ends is noticed at once, also while its link is paused, with one exception: bytes that came before an
    // orderly end are worth waiting for while the link is paused only for reasons that pass by themselves (is_passing,
    // base/peer.hpp), and where the sink itself paused with the end in sight. (While it is suspended, a broken
    // connection waits too.) The end, when it has been read, is that of the link, also where the peer has ended but its
    // own side and still reads. This looks again, for a sweep: it ends (on_closed, before it returns) a paused link
    // whose peer has gone, but still spares one that is paused only for those reasons. Not from inside a sink.
    void check_paused();

    // Open, relaying, nothing unread, unsent or half read: the connection could be detached.
    bool at_rest() const;
    // Gives the connection up. Requires at_rest() and no callback of this link on the stack; the link is closed after.
    LinkParts detach();

    // --- Facts.

    bool is_open() const;  // false once it has closed, failed or been detached, also while close() still sends
    Side side() const { return side_; }
    int descriptor() const { return socket_.get(); }  // its number, to be shown; -1 once it is closed
    const Address& remote() const { return remote_; }
    std::uint16_t local_port() const { return local_port_; }  // 0 on a Unix socket
    // The process at the other end of a Unix socket, as the kernel vouches for it.
    std::optional<uid_t> peer_uid() const;
    bool is_tls() const { return tls_ != nullptr; }
    // For whoever logs in: the hash of a certificate is computed for it. Empty on a plain connection, like the name.
    TlsFacts tls_facts() const;
    std::string tls_name() const;                                          // "TLSv1.3/TLS_AES_256_GCM_SHA384"
    std::size_t held_bytes() const { return held_.size() + out_.size(); }  // buffered in this process

  private:
    friend struct DropLink;
    friend class Readiness;

    enum class Phase : std::uint8_t {
        setup,
        relay,
        sending,    // closed by the owner; bytes still go out
        lingering,  // all is sent; waits for the peer's end, so that no reset destroys what the peer has not read yet
        closed,
    };

    Link(Reactor& reactor, LinkParts parts);
    ~Link() override;

    // Events.
    void on_readable();
    void on_writable();
    void on_turn();
    void on_hangup(bool is_error);
    void on_deadline() override;
    void on_reactor_gone() override;

    // Reading.
    struct Batch;
    void pump();
    Batch read_batch();
    bool deliver(const Batch& batch);
    Io receive(std::span<char> into);
    void note_stream(std::size_t received);
    void end_bulk();

    // Writing.
    void send(ByteView wire);
    void send_ciphertext();
    void flush();
    void break_off();

    // Ending.
    void end(Closed how);
    void linger();
    bool discard_unread();
    void shut();
    void drop();

    // Setup.
    struct SetupWait;
    struct StartWait;
    enum class Event : std::uint8_t { readable, flushed, turn };
    boost::asio::awaitable<error_code> wait_for(Event event, TimePoint until);
    boost::asio::awaitable<Outcome<void>> handshake(TimePoint until);
    void finish_wait(error_code error);
    void abort_wait();

    // Hot members first.
    Phase phase_ = Phase::setup;
    std::uint8_t pauses_ = 0;  // a mask of Pause; reading only when zero
    bool broken_ = false;      // a write failed: what still can be read is, then the sink hears of it
    bool hung_up_ = false;     // the peer's end is in the kernel: a short read does not mean that nothing is left
    bool redeliver_ = false;   // the sink is to see held_ again although nothing came behind it
    bool pumping_ = false;     // the sink is being called with bytes
    bool yields_ = false;      // and wants no more of them before others have had their turn
    bool orphaned_ = false;    // the owner has gone; the link ends by itself
    Side side_;
    Descriptor socket_;
    Reactor* reactor_;  // nullptr once it has been destroyed
    Sink* sink_ = nullptr;
    std::unique_ptr<Readiness, AbandonReadiness> readiness_;
    TlsStreamPtr tls_;
    ByteQueue held_;  // received, not yet consumed by the sink
    ByteQueue out_;   // to be sent, encrypted already
    std::unique_ptr<SetupWait> setup_wait_;
    Stream stream_;
    Address remote_;
    std::uint16_t local_port_;
    std::uint8_t reads_in_a_row_ = 0;  // in setup, since the last wait
};

// For a session or a server, which know nothing of links; dropped as a LinkPtr is.
PeerPtr as_peer(LinkPtr link);

}  // namespace pgsluice::net
