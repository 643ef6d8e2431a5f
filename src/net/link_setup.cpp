// The setup phase: reads, writes and handshakes for coroutines.
#include "readiness.hpp"
#include "setup_wait.hpp"
#include "socket_io.hpp"
#include "tls_stream.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/net/asio.hpp>
#include <pgsluice/net/link.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace pgsluice::net {

namespace {

constexpr int most_reads_in_a_row = 16;

}  // namespace

struct Link::StartWait {
    Link* link;
    Event event;
    TimePoint until;

    template <class Handler>
    void operator()(Handler&& handler) const {
        PGSLUICE_CHECK(!link->setup_wait_);
        link->setup_wait_ = std::make_unique<SetupWait>(SetupWait{event, std::forward<Handler>(handler)});
        if (until != never) link->reactor_->set_deadline(*link, until);
        if (event == Event::readable) link->readiness_->wait_read();
        if (event == Event::turn) link->readiness_->post_turn();
    }
};

asio::awaitable<error_code> Link::wait_for(Event event, TimePoint until) {
    if (broken_) co_return asio::error::connection_reset;
    StartWait start{this, event, until};
    const auto [error] = co_await asio::async_initiate<decltype(as_tuple), void(error_code)>(start, as_tuple);
    if (error) co_return error;
    if (phase_ != Phase::setup) co_return asio::error::operation_aborted;
    co_return error_code{};
}

// Resumes the coroutine from the loop's own stack.
void Link::finish_wait(error_code error) {
    if (!setup_wait_) return;
    const auto wait = std::move(setup_wait_);
    reactor_->set_deadline(*this, never);
    std::move(wait->handler)(error);
}

// Resumes it later, since whoever closes the link does not expect the coroutine to run inside that call.
void Link::abort_wait() {
    if (!setup_wait_) return;
    auto handler = std::move(setup_wait_->handler);
    setup_wait_.reset();
    asio::post(reactor_->io(), [handler = std::move(handler)]() mutable {
        std::move(handler)(error_code(asio::error::operation_aborted));
    });
}

asio::awaitable<Result<std::size_t>> Link::read_some(std::span<char> into, TimePoint until) {
    for (;;) {
        if (phase_ != Phase::setup) co_return error_code(asio::error::operation_aborted);
        // A peer that sends without end must not keep others from their turn, nor this from its deadline.
        if (++reads_in_a_row_ >= most_reads_in_a_row) {
            reads_in_a_row_ = 0;
            if (const error_code error = co_await wait_for(Event::turn, until)) co_return error;
            if (until != never && std::chrono::steady_clock::now() >= until) {
                co_return error_code(asio::error::timed_out);
            }
        }
        const Io got = receive(into);
        if (got.state == Io::State::done) co_return got.count;
        if (got.state == Io::State::end) co_return error_code(asio::error::eof);
        if (got.state == Io::State::failed) co_return got.error;
        if (!got.drained) continue;
        reads_in_a_row_ = 0;
        const error_code error = co_await wait_for(Event::readable, until);
        if (error) co_return error;
    }
}

asio::awaitable<Result<std::size_t>> Link::peek_some(std::span<char> into, TimePoint until) {
    PGSLUICE_CHECK(!tls_);
    for (;;) {
        if (phase_ != Phase::setup) co_return error_code(asio::error::operation_aborted);
        const Io got = peek(socket_.get(), into);
        if (got.state == Io::State::done) co_return got.count;
        if (got.state == Io::State::end) co_return error_code(asio::error::eof);
        if (got.state == Io::State::failed) co_return got.error;
        if (const error_code error = co_await wait_for(Event::readable, until)) co_return error;
    }
}

asio::awaitable<error_code> Link::read_exactly(std::span<char> into, TimePoint until) {
    while (!into.empty()) {
        const Result<std::size_t> count = co_await read_some(into, until);
        if (!count) co_return count.error();
        into = into.subspan(*count);
    }
    co_return error_code{};
}

asio::awaitable<error_code> Link::write_all(ByteView bytes, TimePoint until) {
    if (phase_ != Phase::setup) co_return asio::error::operation_aborted;
    write(bytes);
    while (!out_.empty()) {
        const error_code error = co_await wait_for(Event::flushed, until);
        if (error) co_return error;
    }
    co_return broken_ ? error_code(asio::error::connection_reset) : error_code{};
}

asio::awaitable<Outcome<void>> Link::accept_tls(std::shared_ptr<const TlsServerContext> context, TimePoint until) {
    PGSLUICE_CHECK(!tls_);
    tls_ = TlsStream::server(*context, socket_.get());
    return handshake(until);
}

asio::awaitable<Outcome<void>> Link::connect_tls(std::shared_ptr<const TlsClientContext> context, std::string host,
                                                 TimePoint until) {
    PGSLUICE_CHECK(!tls_);
    tls_ = TlsStream::client(*context, host, socket_.get());
    return handshake(until);
}

asio::awaitable<Outcome<void>> Link::handshake(TimePoint until) {
    if (!tls_) co_return Error{asio::error::connection_aborted, "TLS handshake failed: the host cannot be checked"};
    for (;;) {
        if (phase_ != Phase::setup) co_return Error{asio::error::operation_aborted, "TLS handshake failed: closed"};
        const TlsStream::Step step = tls_->handshake(reactor_->ciphertext());
        send_ciphertext();
        if (step == TlsStream::Step::done) co_return Outcome<void>();
        if (step == TlsStream::Step::failed) {
            const Error& failed = tls_->handshake_error();
            co_return Error{failed.code, "TLS handshake failed: " + failed.text};
        }
        const error_code error = co_await wait_for(Event::readable, until);
        if (error == asio::error::timed_out) co_return Error{error, "TLS handshake timed out"};
        if (error) co_return Error{error, "TLS handshake failed: " + error.message()};
    }
}

}  // namespace pgsluice::net
