// TLS on one descriptor: OpenSSL reads ciphertext from the socket by itself, and what it wants to send is appended to a
// buffer of the caller's. So a write always succeeds at once and never has to be repeated with the same bytes, several
// records leave in one send, and a Link queues unsent ciphertext as it queues plain bytes.
#pragma once

#include "socket_io.hpp"

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/net/error.hpp>
#include <pgsluice/net/link.hpp>
#include <pgsluice/net/tls_context.hpp>

#include <openssl/ssl.h>

#include <span>
#include <string>

namespace pgsluice::net {

class TlsStream {
  public:
    // The descriptor stays the caller's and must be set again where its number changes. nullptr when out of memory.
    static TlsStreamPtr server(const TlsServerContext& context, int fd);
    static TlsStreamPtr client(const TlsClientContext& context, const std::string& host, int fd);
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream();

    enum class Step : unsigned char { done, want_read, failed };
    // In every call, `out` receives what must be sent to the peer afterwards, alerts of a failure included.
    Step handshake(Bytes& out);
    // Its code is what ended the connection, or connection_aborted where it was TLS itself that failed.
    const Error& handshake_error() const { return handshake_error_; }

    // Reads as many records as fit and are there, but no more at a time than others can wait for: then it is not
    // drained. A peer that sends records without end and no byte in them (key updates) fails. `to_the_end`: the peer is
    // known to have ended, find it.
    Io read(std::span<char> into, bool to_the_end, Bytes& out);
    // False where the session has failed.
    bool encrypt(ByteView bytes, Bytes& out);
    void close_notify(Bytes& out);
    // Bytes have been taken from the socket and not been returned yet.
    bool has_pending() const;

    TlsFacts facts() const;
    std::string name() const;

  private:
    struct Bio;  // the BIO through which OpenSSL reaches the descriptor and `out_`

    TlsStream() = default;
    static TlsStreamPtr make(SSL_CTX* context, int fd);
    void note_handshake_error();

    SSL* ssl_ = nullptr;
    Bytes* out_ = nullptr;
    Error handshake_error_;
    int fd_ = -1;
    bool drained_ = false;     // the socket is known to be empty: OpenSSL is told so without another recv
    bool to_the_end_ = false;  // the end may be there already, unannounced: ask the socket until it says so
    bool ended_ = false;       // the socket has come to its end
    std::size_t taken_ = 0;    // from the socket in this call
    std::size_t barren_ = 0;   // from the socket since the last byte for us
    bool had_enough_ = false;
    error_code socket_error_;
    Io::State after_ = Io::State::done;  // what the next read returns, where records came before an end
};

}  // namespace pgsluice::net
