// What policies let a call take while it runs: so long, and so much of a result. Says which call is beyond that, what
// of its result still goes on, and what its client is told in the end. Such a call is cancelled, and as long as that
// request may be on its way nothing may begin on the server: it hits whatever the server is at when it comes.
//
// Pure: what is to be done about a call is returned, and its caller does it.
#pragma once

#include <pgsluice/session/calls.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <cstdint>
#include <optional>

namespace pgsluice::session {

class StatementLimits {
  public:
    // Outlived by `calls`. The number of a call is that in the ledger; 0: none.
    explicit StatementLimits(Calls& calls) : calls_(calls) {}

    // What is to be done about a call.
    struct Order {
        std::optional<LimitKind> beyond{};  // it has gone beyond that one: whoever is told of such calls is to be told
        bool cancels = false;               // a cancel request is to be sent, and counts as being on its way
    };

    // Time goes on, though nothing is sent. `running`: what the server is at, or else comes to next.
    Order look_at(std::uint32_t running, TimePoint now);

    // Whether the call's result is counted, as messages of it come.
    bool counts(std::uint32_t call) const { return call != 0 && calls_[call].callee.is_counted; }
    // A message of a result that is counted. Behind the first that is not kept, nothing of the result is.
    struct Passage {
        bool is_kept = true;
        Order order{};
    };
    Passage pass(std::uint32_t call, wire::BackendTag tag, std::uint64_t message_bytes, TimePoint now);

    // What the client is told in the place of the server's error; nullopt: the error is the server's own.
    std::optional<wire::SqlError> error_of_failed(std::uint32_t running, ByteView sqlstate) const;
    // And where the server has answered in full a call whose result was cut off, and has not failed it.
    std::optional<wire::SqlError> error_of_answered(std::uint32_t call) const;

    // --- The cancel request.
    bool is_cancelling() const { return is_cancelling_; }
    // Whether that message would begin something which the request may hit.
    bool holds(wire::FrontendTag tag) const;
    // It has come, or it is about a server that is another's now.
    void end_cancel() { is_cancelling_ = false; }

  private:
    Order cut_off(Call& call, Excess excess, TimePoint now);
    Order cancel(Call& call, TimePoint now);

    Calls& calls_;
    bool is_cancelling_ = false;
};

}  // namespace pgsluice::session
