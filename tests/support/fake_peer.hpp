// A Peer over strings. What is written to it is kept; what arrives on it is given to its sink as net::Link would: only
// while no pause stands, with unconsumed bytes kept and given again, and never from inside write(), pause() or
// resume().
#pragma once

#include <pgsluice/base/peer.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace pgsluice::test {

class FakePeer final : public Peer {
  public:
    // --- the protocol code's side ---
    void write(ByteView bytes) override {
        if (is_closed_) {
            ++writes_after_close_;
            return;
        }
        written_ += bytes;
        ++writes_;
    }
    bool congested() const override { return congested_ || written_.size() > capacity_; }
    void pause(Pause reason) override { pauses_ |= static_cast<std::uint8_t>(reason); }
    void resume(Pause reason) override { pauses_ &= static_cast<std::uint8_t>(~static_cast<std::uint8_t>(reason)); }
    void yield() override {}  // here nobody else waits for a turn
    void close() override { is_closed_ = true; }
    void reset() override { is_closed_ = is_reset_ = true; }

    // --- the test's side ---
    void attach(Sink& sink) { sink_ = &sink; }
    // Bytes come from the network.
    void receive(ByteView bytes) {
        unread_ += bytes;
        turn();
    }
    // One turn of the loop: gives what is unread to the sink, as long as it takes some. True if it took any.
    bool turn() {
        bool any = false;
        while (sink_ != nullptr && !is_closed_ && !is_paused() && !unread_.empty()) {
            // The view dies when the call returns: a copy of exact size lets the sanitizer see who keeps it.
            const Bytes view(unread_);
            const std::size_t consumed = sink_->on_bytes(view);
            ++deliveries_;
            unread_.erase(0, consumed);
            if (consumed == 0) break;
            any = true;
        }
        return any;
    }
    void lose(Closed how = Closed::by_peer) {
        is_closed_ = true;
        if (sink_ != nullptr) sink_->on_closed(how);
    }

    // The congestion switch. Uncongesting reports on_drained, as the loop would.
    void congest() { congested_ = true; }
    void drain() {
        congested_ = false;
        if (sink_ != nullptr && !is_closed_) sink_->on_drained();
    }
    // Congested by itself while more than this waits to be taken.
    void limit_to(std::size_t capacity) { capacity_ = capacity; }

    const Bytes& written() const { return written_; }
    Bytes take() { return std::exchange(written_, {}); }
    const Bytes& unread() const { return unread_; }
    bool is_paused() const { return pauses_ != 0; }
    bool is_paused(Pause reason) const { return (pauses_ & static_cast<std::uint8_t>(reason)) != 0; }
    bool is_closed() const { return is_closed_; }
    bool is_reset() const { return is_reset_; }
    std::size_t deliveries() const { return deliveries_; }
    std::size_t writes() const { return writes_; }
    std::size_t writes_after_close() const { return writes_after_close_; }

  private:
    Sink* sink_ = nullptr;
    Bytes written_, unread_;
    std::size_t capacity_ = static_cast<std::size_t>(-1);
    std::size_t writes_ = 0, writes_after_close_ = 0, deliveries_ = 0;
    std::uint8_t pauses_ = 0;
    bool congested_ = false, is_closed_ = false, is_reset_ = false;
};

}  // namespace pgsluice::test
