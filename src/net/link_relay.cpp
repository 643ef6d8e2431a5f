// The relay phase: bytes from the socket to the sink, and from write() to the socket.
#include "bulk_reads.hpp"
#include "readiness.hpp"
#include "setup_wait.hpp"
#include "socket_io.hpp"
#include "tls_stream.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/net/link.hpp>

#include <boost/asio/error.hpp>

#include <cstring>
#include <utility>

namespace pgsluice::net {

namespace {

// Reads per wake-up before other links have their turn.
constexpr int fair_turns = 4;

// What a sink leaves unconsumed, mostly the beginning of a message, is copied in front of the next bytes in the scratch
// buffer while it is small. A message that is being held whole soon is not: then bytes are read behind it where it
// stands.
constexpr std::size_t largest_copy = 8192;
constexpr std::size_t smallest_room = 16384;

// Plain text that is encrypted between two sends: bounds the buffer for ciphertext.
constexpr std::size_t encrypt_at_once = 65536;

}  // namespace

// Bytes for the sink, and whether the socket has more.
struct Link::Batch {
    ByteView bytes;
    bool in_held = false;  // they stand in held_, not in the scratch buffer
    bool drained = false;
    Io::State state = Io::State::done;
};

void Link::start(Sink& sink, ByteView unread) {
    PGSLUICE_CHECK(!setup_wait_);
    if (phase_ != Phase::setup) return;  // closed by its owner meanwhile
    phase_ = Phase::relay;
    sink_ = &sink;
    held_.append(unread);
    redeliver_ = !unread.empty();
    // Setup may have left bytes in the kernel whose arrival nothing will announce again.
    readiness_->post_turn();
}

void Link::pause(Pause reason) {
    pauses_ |= static_cast<std::uint8_t>(reason);
}

void Link::resume(Pause reason) {
    if ((pauses_ & static_cast<std::uint8_t>(reason)) == 0) return;
    pauses_ &= static_cast<std::uint8_t>(~static_cast<std::uint8_t>(reason));
    if (pauses_ != 0 || phase_ != Phase::relay) return;
    redeliver_ = true;
    if (pumping_) return;  // goes on by itself
    // A link that waits for bytes already, and holds none, just goes on waiting.
    if (!held_.empty() || broken_ || !readiness_->waits_to_read()) readiness_->post_turn();
}

void Link::yield() {
    redeliver_ = true;
    if (pumping_)
        yields_ = true;
    else if (pauses_ == 0 && phase_ == Phase::relay)
        readiness_->post_turn();
}

void Link::on_readable() {
    switch (phase_) {
        case Phase::setup:
            if (setup_wait_ && setup_wait_->event == Event::readable) finish_wait({});
            return;
        case Phase::relay:
            if (pauses_ == 0) pump();
            return;
        case Phase::lingering:
            if (discard_unread()) return shut();
            readiness_->wait_read();
            return;
        case Phase::sending:
        case Phase::closed: return;
    }
}

void Link::on_turn() {
    if (phase_ == Phase::setup && broken_) return finish_wait(boost::asio::error::connection_reset);
    if (phase_ == Phase::setup && setup_wait_ && setup_wait_->event == Event::turn) return finish_wait({});
    if (phase_ != Phase::relay) return;
    if (pauses_ == 0) return pump();
    if (broken_ && !is_passing(pauses_)) end(Closed::reset);
}

// Reads and calls the sink until the socket is empty, the sink pauses or yields, or others must have a turn.
void Link::pump() {
    for (int turn = 0; turn < fair_turns; ++turn) {
        const Batch batch = read_batch();
        if (batch.state == Io::State::end) return end(Closed::by_peer);
        if (batch.state == Io::State::failed) return end(Closed::reset);
        if (batch.state == Io::State::done && !deliver(batch)) return;
        if (std::exchange(yields_, false)) break;
        if (batch.drained && !(redeliver_ && pauses_ == 0 && !held_.empty())) {
            if (broken_ && !is_passing(pauses_)) return end(Closed::reset);
            return readiness_->wait_read();
        }
        if (pauses_ != 0) return;
    }
    readiness_->post_turn();
}

Link::Batch Link::read_batch() {
    const std::size_t held = held_.size();
    if (redeliver_ && held > 0) {
        redeliver_ = false;
        return {.bytes = held_.view(), .in_held = true, .drained = readiness_->waits_to_read()};
    }
    redeliver_ = false;

    if (held > largest_copy) {
        const std::span<char> room = held_.prepare(smallest_room);
        const Io got = receive(room);
        held_.commit(got.count);
        return {.bytes = held_.view(), .in_held = true, .drained = got.drained, .state = got.state};
    }
    const std::span<char> scratch = reactor_->scratch();
    if (held > 0) std::memcpy(scratch.data(), held_.view().data(), held);
    const Io got = receive(scratch.subspan(held));
    if (got.state == Io::State::done) held_.clear();
    return {.bytes = {scratch.data(), held + got.count}, .drained = got.drained, .state = got.state};
}

// False when the link has been closed, dropped or given away meanwhile.
bool Link::deliver(const Batch& batch) {
    pumping_ = true;
    const std::size_t consumed = sink_->on_bytes(batch.bytes);
    pumping_ = false;
    PGSLUICE_CHECK(consumed <= batch.bytes.size());
    if (phase_ != Phase::relay) {
        held_.clear();
        return false;
    }
    if (batch.in_held) {
        held_.consume(consumed);
    } else {
        held_.append(batch.bytes.substr(consumed));
    }
    return true;
}

Io Link::receive(std::span<char> into) {
    Io got;
    if (tls_) {
        got = tls_->read(into, hung_up_ || phase_ == Phase::setup, reactor_->ciphertext());
        if (!reactor_->ciphertext().empty()) send_ciphertext();  // an alert, or the answer to a key update
    } else {
        got = net::receive(socket_.get(), into);
        if (hung_up_ && got.state == Io::State::done) got.drained = false;
    }
    Traffic::add(reactor_->traffic(side_).received_bytes, got.count);
    if (side_ == Side::server && got.count > 0) note_stream(got.count);
    return got;
}

// Only of servers: what a client sends in bulk comes in large portions as it is.
void Link::note_stream(std::size_t received) {
    if (stream_.mode != Stream::Mode::plain) {
        stream_.mode = Stream::Mode::flowing;
    } else if (received < BulkReads::short_read) {
        stream_.bytes = 0;
    } else {
        stream_.bytes += static_cast<std::uint32_t>(received);
        if (stream_.bytes >= BulkReads::begins_at) reactor_->bulk_reads().add(stream_, socket_.get());
    }
}

void Link::end_bulk() {
    if (stream_.mode != Stream::Mode::plain) reactor_->bulk_reads().remove(stream_);
}

void Link::write(ByteView bytes) {
    if (bytes.empty() || broken_ || !is_open()) return;
    Traffic::add(reactor_->traffic(side_).sent_bytes, bytes.size());
    end_bulk();
    if (!tls_) return send(bytes);
    while (!bytes.empty() && !broken_) {
        const ByteView part = bytes.substr(0, encrypt_at_once);
        bytes.remove_prefix(part.size());
        if (!tls_->encrypt(part, reactor_->ciphertext())) {
            reactor_->ciphertext().clear();
            return break_off();
        }
        send_ciphertext();
    }
}

void Link::send_ciphertext() {
    Bytes& ciphertext = reactor_->ciphertext();
    send(ciphertext);
    ciphertext.clear();
}

// Bytes as they stand on the wire: to the kernel, or behind those that wait.
void Link::send(ByteView wire) {
    if (broken_ || wire.empty()) return;
    if (out_.empty()) {
        const Io sent = net::send(socket_.get(), wire);
        if (sent.state == Io::State::failed) return break_off();
        wire.remove_prefix(sent.count);
        if (wire.empty()) return;
        readiness_->wait_write();
    }
    out_.append(wire);
}

// The sink hears of it from the loop, after what can still be read: a server's last words, mostly.
void Link::break_off() {
    broken_ = true;
    out_.clear();
    readiness_->post_turn();
}

void Link::flush() {
    while (!out_.empty()) {
        const Io sent = net::send(socket_.get(), out_.view());
        if (sent.state == Io::State::failed) return break_off();
        out_.consume(sent.count);
        if (sent.state == Io::State::would_block) return readiness_->wait_write();
    }
}

void Link::on_writable() {
    if (phase_ == Phase::closed || out_.empty()) return;
    flush();
    if (!out_.empty()) return;
    switch (phase_) {
        case Phase::setup:
            if (setup_wait_ && setup_wait_->event == Event::flushed) finish_wait({});
            return;
        case Phase::relay:
            if (!broken_ && sink_ != nullptr) sink_->on_drained();
            return;
        case Phase::sending: return broken_ ? shut() : linger();
        case Phase::lingering:
        case Phase::closed: return;
    }
}

}  // namespace pgsluice::net
