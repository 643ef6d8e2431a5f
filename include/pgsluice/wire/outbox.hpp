// Bytes on their way to one peer, put together from spans of an input buffer and from messages made here. While the
// spans are adjacent nothing is copied, which is the plain relay path; otherwise all is joined in a scratch buffer.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::wire {

class Outbox {
  public:
    // `scratch` is borrowed until the outbox goes; what it holds is overwritten.
    explicit Outbox(Bytes& scratch) : scratch_(scratch) { scratch_.clear(); }

    void add(ByteView span) {
        if (span.empty()) return;
        if (joined_) {
            scratch_ += span;
        } else if (span_.empty()) {
            span_ = span;
        } else if (span_.data() + span_.size() == span.data()) {
            span_ = ByteView(span_.data(), span_.size() + span.size());
        } else {
            join() += span;
        }
    }
    // For messages made here: append to it.
    Bytes& join() {
        if (!joined_) {
            scratch_.assign(span_);
            joined_ = true;
        }
        return scratch_;
    }

    // Valid until the next add() or join(), and as long as the input.
    ByteView view() const { return joined_ ? ByteView(scratch_) : span_; }
    bool empty() const { return view().empty(); }
    void clear() {
        span_ = {};
        scratch_.clear();
        joined_ = false;
    }

  private:
    Bytes& scratch_;
    ByteView span_;
    bool joined_ = false;
};

}  // namespace pgsluice::wire
