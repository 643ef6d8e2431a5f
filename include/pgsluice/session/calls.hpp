// The calls of one client that are unanswered, for statistics, the logs of queries and the limits of policies: a Query
// is one, and so is an Execute. Only where somebody wants to know.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/ring.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/session/called_names.hpp>
#include <pgsluice/session/callee.hpp>
#include <pgsluice/session/limit_kind.hpp>

#include <array>
#include <cstdint>

namespace pgsluice::session {

// The limit that a call has gone beyond; it is being cancelled then.
enum class Excess : std::uint8_t { none, duration, rows, bytes };

struct Call {
    Callee callee;
    TimePoint sent_at{};
    Microseconds server_time{0};  // from then, or from the answer to the call before it, to its own
    Microseconds wait{0};         // for a server, before that
    std::uint64_t rows = 0, bytes = 0;
    std::uint64_t kept_rows = 0, kept_bytes = 0;  // of a counted result, what was passed on
    policy::Usage::Slot slot;                     // held until it is answered, where so many may run at a time
    TimePoint cancelled_at{};                     // last, where it is beyond its limit
    Excess excess = Excess::none;
    std::array<char, 5> sqlstate{};  // of the server's error; zeros where there is none, or it cannot be known
    bool failed = false;             // the server says so
    bool is_over = false;

    // A result that was cut off has ended in an error of ours for its client, whatever the server says.
    bool is_cut_off() const { return excess == Excess::rows || excess == Excess::bytes; }
    bool failed_for_client() const { return failed || is_cut_off(); }
};

class Calls {
  public:
    // `sees_all`: of the statements and portals that the client has, none is older.
    explicit Calls(bool sees_all) : sees_all_(sees_all) {}
    bool sees_all() const { return sees_all_; }

    // The number of the call in the ledger (protocol::Owed::call); never 0. Calls are answered in this order.
    std::uint32_t begin(Callee callee, TimePoint now, Microseconds waited_so_far);
    bool empty() const { return calls_.empty(); }
    std::uint32_t first() const { return first_; }  // the number of the oldest

    // One that has not been answered.
    Call& operator[](std::uint32_t number) { return calls_[number - first_]; }
    const Call& operator[](std::uint32_t number) const { return calls_[number - first_]; }
    // The last one is unanswered, and what follows it depends on how it ends.
    bool wait_for_result() const { return !calls_.empty() && calls_[calls_.size() - 1].callee.is_counted; }
    // When the server has come to it: when it was sent, or what stood before it was answered.
    TimePoint began_at(std::uint32_t number) const;
    // What stands before the oldest has been answered, and is no call.
    void note_turn(TimePoint now) { answered_at_ = now; }

    // Of the oldest.
    void count(std::uint64_t rows) {
        if (!calls_.empty()) calls_.front().rows += rows;
    }
    void count_bytes(std::uint64_t bytes) {
        if (!calls_.empty()) calls_.front().bytes += bytes;
    }
    void fail(ByteView sqlstate = {}) {
        if (calls_.empty()) return;
        Call& call = calls_.front();
        call.failed = true;
        if (sqlstate.size() == call.sqlstate.size()) sqlstate.copy(call.sqlstate.data(), call.sqlstate.size());
    }

    // It has been answered; it is there until drop_finished().
    const Call& finish(std::uint32_t number, TimePoint now);
    void drop_finished();
    // The server has skipped it.
    void forget(std::uint32_t number);

    CalledNames& names() { return names_; }

  private:
    bool sees_all_;
    Ring<Call> calls_;
    std::uint32_t first_ = 1;  // the number of the oldest
    TimePoint answered_at_{};
    Microseconds waited_{0};
    CalledNames names_;
};

}  // namespace pgsluice::session
