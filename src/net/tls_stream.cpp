#include "tls_stream.hpp"

#include "tls_error.hpp"

#include <boost/asio/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cassert>

namespace pgsluice::net {

namespace {

// Taken from the socket in one call, while other connections wait.
constexpr std::size_t most_at_once = 256 * 1024;
// Taken without a byte for us: one record in parts, a few tickets, a few key updates; not a flood of them.
constexpr std::size_t most_barren = 64 * 1024;

// What the macro SSL_set_tlsext_host_name does, which casts in C style.
bool send_server_name(SSL* ssl, std::string host) {
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

}  // namespace

struct TlsStream::Bio {
    static int read(BIO* bio, char* into, std::size_t size, std::size_t* count) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        *count = 0;
        if (stream.drained_) {
            BIO_set_retry_read(bio);
            return 0;
        }
        if (SSL_is_init_finished(stream.ssl_) == 1) {
            if (stream.taken_ >= most_at_once) {
                stream.had_enough_ = true;
                BIO_set_retry_read(bio);
                return 0;
            }
            if (stream.barren_ >= most_barren) {
                stream.socket_error_ = boost::asio::error::connection_aborted;
                return 0;
            }
        }
        const Io got = receive(stream.fd_, {into, size});
        stream.taken_ += got.count;
        stream.barren_ += got.count;
        stream.drained_ = got.drained && !stream.to_the_end_;
        switch (got.state) {
            case Io::State::done: *count = got.count; return 1;
            case Io::State::would_block: BIO_set_retry_read(bio); return 0;
            case Io::State::end: stream.ended_ = true; return 0;
            case Io::State::failed: stream.socket_error_ = got.error; return 0;
        }
        return 0;
    }

    static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        assert(stream.out_ != nullptr);
        stream.out_->append(bytes, size);
        *count = size;
        return 1;
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static int create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }

    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* table = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgsluice link");
            BIO_meth_set_read_ex(table, &Bio::read);
            BIO_meth_set_write_ex(table, &Bio::write);
            BIO_meth_set_ctrl(table, &Bio::control);
            BIO_meth_set_create(table, &Bio::create);
            return table;
        }();
        return made;
    }
};

void FreeTlsStream::operator()(TlsStream* stream) const {
    delete stream;
}

TlsStreamPtr TlsStream::make(SSL_CTX* context, int fd) {
    ERR_clear_error();
    TlsStreamPtr stream(new TlsStream);
    stream->fd_ = fd;
    stream->ssl_ = SSL_new(context);
    BIO* bio = BIO_new(Bio::method());
    if (stream->ssl_ == nullptr || bio == nullptr) {
        BIO_free(bio);
        return nullptr;
    }
    BIO_set_data(bio, stream.get());
    SSL_set_bio(stream->ssl_, bio, bio);
    return stream;
}

TlsStreamPtr TlsStream::server(const TlsServerContext& context, int fd) {
    TlsStreamPtr stream = make(context.native(), fd);
    if (stream) SSL_set_accept_state(stream->ssl_);
    return stream;
}

TlsStreamPtr TlsStream::client(const TlsClientContext& context, const std::string& host, int fd) {
    TlsStreamPtr stream = make(context.native(), fd);
    if (!stream) return nullptr;
    SSL* ssl = stream->ssl_;
    SSL_set_connect_state(ssl);
    const bool is_address = Address::parse(host).has_value();
    const bool checks_host = context.verify() == TlsClientContext::Verify::verify_full;
    // A host that cannot be checked must never pass for one that was: then nothing may verify.
    if (checks_host && host.empty()) return nullptr;
    if (is_address) {
        if (checks_host && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) != 1) return nullptr;
    } else {
        if (!host.empty() && !send_server_name(ssl, host)) return nullptr;
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (checks_host && SSL_set1_host(ssl, host.c_str()) != 1) return nullptr;
    }
    return stream;
}

TlsStream::~TlsStream() {
    SSL_free(ssl_);
}

TlsStream::Step TlsStream::handshake(Bytes& out) {
    ERR_clear_error();
    drained_ = false;
    to_the_end_ = true;
    out_ = &out;
    const int result = SSL_do_handshake(ssl_);
    out_ = nullptr;
    if (result == 1) barren_ = 0;
    if (result == 1) return Step::done;
    if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return Step::want_read;
    note_handshake_error();
    return Step::failed;
}

void TlsStream::note_handshake_error() {
    const long verdict = SSL_get_verify_result(ssl_);
    if (socket_error_) {
        handshake_error_ = {socket_error_, socket_error_.message()};
    } else if (ended_) {
        handshake_error_ = {boost::asio::error::eof, "the peer closed the connection"};
    } else if (verdict != X509_V_OK) {
        handshake_error_ = {boost::asio::error::connection_aborted,
                            std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict)};
    } else {
        handshake_error_ = {boost::asio::error::connection_aborted, take_openssl_error()};
    }
    ERR_clear_error();
}

Io TlsStream::read(std::span<char> into, bool to_the_end, Bytes& out) {
    if (after_ != Io::State::done) return {.state = after_, .error = socket_error_};
    ERR_clear_error();
    drained_ = false;
    to_the_end_ = to_the_end;
    taken_ = 0;
    had_enough_ = false;
    out_ = &out;
    Io io;
    while (io.count < into.size()) {
        std::size_t count = 0;
        const int result = SSL_read_ex(ssl_, into.data() + io.count, into.size() - io.count, &count);
        if (result == 1) {
            io.count += count;
            barren_ = 0;
            continue;
        }
        const int error = SSL_get_error(ssl_, result);
        if (error == SSL_ERROR_WANT_READ) {
            io.drained = !had_enough_;
            if (io.count == 0) io.state = Io::State::would_block;
            break;
        }
        // Clients that just close the socket are common, and PostgreSQL's protocol has an end of its own.
        after_ = error == SSL_ERROR_ZERO_RETURN || ended_ ? Io::State::end : Io::State::failed;
        if (after_ == Io::State::failed && !socket_error_) socket_error_ = boost::asio::error::connection_aborted;
        if (io.count == 0) io = {.state = after_, .error = socket_error_};
        break;
    }
    out_ = nullptr;
    return io;
}

bool TlsStream::encrypt(ByteView bytes, Bytes& out) {
    ERR_clear_error();
    out_ = &out;
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
    out_ = nullptr;
    return result == 1;
}

void TlsStream::close_notify(Bytes& out) {
    if (SSL_in_init(ssl_) != 0) return;
    ERR_clear_error();
    out_ = &out;
    SSL_shutdown(ssl_);
    out_ = nullptr;
}

bool TlsStream::has_pending() const {
    return SSL_has_pending(ssl_) == 1;
}

}  // namespace pgsluice::net
