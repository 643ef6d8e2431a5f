// The life of a link: how it is made, handed on and ended. link_relay.cpp moves the bytes, link_setup.cpp is for
// coroutines.
#include "bulk_reads.hpp"
#include "readiness.hpp"
#include "setup_wait.hpp"
#include "socket_address.hpp"
#include "socket_io.hpp"
#include "tls_stream.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/net/link.hpp>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace pgsluice::net {

namespace {

// How long a closed link may take to send what waits, and then how long for the peer to end its side.
constexpr Milliseconds sending_limit{5000};
constexpr Milliseconds lingering_limit{2000};

TimePoint after(Milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

}  // namespace

void DropLink::operator()(Link* link) const {
    link->drop();
}

PeerPtr as_peer(LinkPtr link) {
    return {link.release(), [](Peer* peer) { DropLink{}(static_cast<Link*>(peer)); }};
}

LinkPtr Link::create(Reactor& reactor, Descriptor socket, Side side) {
    LinkParts parts;
    parts.side = side;
    parts.remote = remote_address(socket.get());
    parts.local_port = local_port_of(socket.get());
    parts.socket = std::move(socket);
    return attach(reactor, std::move(parts));
}

LinkPtr Link::attach(Reactor& reactor, LinkParts parts) {
    return LinkPtr(new Link(reactor, std::move(parts)));
}

Link::Link(Reactor& reactor, LinkParts parts)
    : Deadlined(reactor),
      side_(parts.side),
      socket_(std::move(parts.socket)),
      reactor_(&reactor),
      readiness_(new Readiness(reactor, *this)),
      tls_(std::move(parts.tls)),
      remote_(parts.remote),
      local_port_(parts.local_port) {
    if (!socket_ || !readiness_->watch(socket_.get())) broken_ = true;
}

Link::~Link() = default;

void AbandonReadiness::operator()(Readiness* readiness) const {
    readiness->abandon();
}

bool Link::at_rest() const {
    return phase_ == Phase::relay && !broken_ && held_.empty() && out_.empty() && !(tls_ && tls_->has_pending()) &&
           unread_bytes() == 0;
}

LinkParts Link::detach() {
    PGSLUICE_CHECK(phase_ == Phase::relay && !pumping_ && !broken_ && held_.empty() && out_.empty());
    PGSLUICE_CHECK(!tls_ || !tls_->has_pending());
    end_bulk();
    readiness_.reset();
    LinkParts parts;
    parts.side = side_;
    parts.remote = remote_;
    parts.local_port = local_port_;
    parts.tls = std::move(tls_);
    parts.socket = std::move(socket_);
    sink_ = nullptr;
    shut();
    return parts;
}

void Link::close() {
    if (phase_ >= Phase::sending) return;
    sink_ = nullptr;
    phase_ = Phase::sending;
    abort_wait();
    if (tls_ && !broken_) {
        tls_->close_notify(reactor_->ciphertext());
        send_ciphertext();
    }
    if (broken_) return shut();
    if (out_.empty()) return linger();
    reactor_->set_deadline(*this, after(sending_limit));
}

void Link::reset() {
    if (phase_ == Phase::closed) return;
    sink_ = nullptr;
    const ::linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shut();
}

// Closing a socket with unread bytes resets the connection, and a reset may overtake what we sent last: the error
// message that tells the client why. So we end our side first, and read until the peer has ended its own.
void Link::linger() {
    phase_ = Phase::lingering;
    ::shutdown(socket_.get(), SHUT_WR);
    if (discard_unread()) return shut();
    reactor_->set_deadline(*this, after(lingering_limit));
    readiness_->wait_read();
}

// True when the peer has ended, or sends more than we care to throw away. Not into the scratch buffer: a sink may still
// be looking at the bytes in there.
bool Link::discard_unread() {
    char bin[8192];
    for (int reads = 0; reads < 64; ++reads) {
        const Io got = net::receive(socket_.get(), bin);
        if (got.state == Io::State::would_block) return false;
        if (got.state != Io::State::done) return true;
    }
    return true;
}

// The connection has ended by itself.
void Link::end(Closed how) {
    Sink* const sink = sink_;
    sink_ = nullptr;
    shut();
    if (sink != nullptr) sink->on_closed(how);
}

// Everything but the memory goes. held_ stays: the sink may be looking at it.
void Link::shut() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    abort_wait();
    end_bulk();
    readiness_.reset();
    socket_.reset();
    out_.clear();
    if (reactor_ == nullptr) return;
    reactor_->set_deadline(*this, never);
    if (orphaned_) drop();
}

void Link::drop() {
    sink_ = nullptr;
    if (phase_ == Phase::sending || phase_ == Phase::lingering) {
        orphaned_ = true;
        return;
    }
    orphaned_ = false;
    shut();
    if (reactor_ == nullptr) {
        delete this;
        return;
    }
    reactor_->bury({this, [](void* link) { delete static_cast<Link*>(link); }});
}

void Link::on_deadline() {
    if (phase_ == Phase::setup) return finish_wait(boost::asio::error::timed_out);
    if (phase_ == Phase::sending || phase_ == Phase::lingering) shut();
}

// The waiting coroutine goes first: its frame may own this link, and drop it now.
void Link::on_reactor_gone() {
    setup_wait_.reset();
    sink_ = nullptr;
    shut();
    reactor_ = nullptr;
}

// The peer has sent its last byte, or the connection has broken. What came before is still in the kernel.
void Link::on_hangup(bool is_error) {
    hung_up_ = true;
    if (phase_ == Phase::lingering) return on_readable();
    if (phase_ != Phase::relay) return;
    if (pauses_ == 0) return pump();
    const bool is_suspended = (pauses_ & static_cast<std::uint8_t>(Pause::suspended)) != 0;
    if ((is_error && !is_suspended) || !is_passing(pauses_)) end(is_error ? Closed::reset : Closed::by_peer);
}

void Link::check_paused() {
    if (phase_ != Phase::relay || pauses_ == 0) return;
    pollfd look{socket_.get(), POLLRDHUP, 0};
    if (::poll(&look, 1, 0) <= 0) return;
    if ((look.revents & (POLLERR | POLLNVAL)) != 0) return end(Closed::reset);
    if (!is_passing(pauses_)) end(Closed::by_peer);
}

bool Link::is_open() const {
    return phase_ == Phase::setup || phase_ == Phase::relay;
}

std::size_t Link::unread_bytes() const {
    int count = 0;
    if (!socket_ || ::ioctl(socket_.get(), FIONREAD, &count) != 0 || count < 0) return 0;
    return static_cast<std::size_t>(count);
}

std::optional<uid_t> Link::peer_uid() const {
    if (remote_.family != Address::Family::unix_socket || !socket_) return std::nullopt;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    return credentials.uid;
}

TlsFacts Link::tls_facts() const {
    return tls_ ? tls_->facts() : TlsFacts{};
}

std::string Link::tls_name() const {
    return tls_ ? tls_->name() : std::string();
}

}  // namespace pgsluice::net
