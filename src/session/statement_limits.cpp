#include <pgsluice/session/statement_limits.hpp>

namespace pgsluice::session {

using wire::BackendTag;
using wire::FrontendTag;

namespace {

// A cancel request that comes when the server is not at the statement yet, or no more, does nothing.
constexpr Milliseconds cancel_again_after{1000};

std::optional<wire::SqlError> error_of(const Call& call) {
    if (call.excess == Excess::none) return std::nullopt;
    const policy::Limit& limit = *call.callee.limit;
    const auto beyond = [&](const char* key, std::uint64_t most) {
        return wire::error("54000", "result is larger than policy \"" + limit.rule + "\" allows",
                           std::string(key) + " is " + std::to_string(most) + '.');
    };
    if (call.excess == Excess::rows) return beyond("max_rows", limit.bounds.max_rows);
    if (call.excess == Excess::bytes) return beyond("max_bytes", limit.bounds.max_bytes);
    return wire::error("57014", "canceling statement due to policy \"" + limit.rule + '"',
                       "It has run for max_duration, " + std::to_string(limit.bounds.max_duration.count()) + " ms.");
}

LimitKind limit_of(Excess excess) {
    if (excess == Excess::rows) return LimitKind::max_rows;
    return excess == Excess::bytes ? LimitKind::max_bytes : LimitKind::max_duration;
}

}  // namespace

StatementLimits::Order StatementLimits::look_at(std::uint32_t running, TimePoint now) {
    if (running == 0) return {};
    Call& call = calls_[running];
    if (call.callee.limit == nullptr) return {};
    if (call.excess != Excess::none) {
        const bool is_due = !is_cancelling_ && now - call.cancelled_at >= cancel_again_after;
        return is_due ? cancel(call, now) : Order{};
    }
    const Milliseconds most = call.callee.limit->bounds.max_duration;
    const bool is_over = most.count() > 0 && now - calls_.began_at(running) >= most;
    return is_over ? cut_off(call, Excess::duration, now) : Order{};
}

// One that is beyond a limit already is told of again, by the other limit, and not cancelled again.
StatementLimits::Order StatementLimits::cut_off(Call& call, Excess excess, TimePoint now) {
    const bool is_cancelled = call.excess != Excess::none;
    call.excess = excess;
    Order order = is_cancelled ? Order{} : cancel(call, now);
    order.beyond = limit_of(excess);
    return order;
}

StatementLimits::Order StatementLimits::cancel(Call& call, TimePoint now) {
    call.cancelled_at = now;
    is_cancelling_ = true;
    return {std::nullopt, true};
}

StatementLimits::Passage StatementLimits::pass(std::uint32_t number, BackendTag tag, std::uint64_t message_bytes,
                                               TimePoint now) {
    Call& call = calls_[number];
    if (tag == BackendTag::error_response) {  // too long to be looked into
        call.failed = true;
        return {};
    }
    const bool is_beyond = call.excess == Excess::rows || call.excess == Excess::bytes;
    if (is_beyond || (tag != BackendTag::data_row && tag != BackendTag::copy_data)) return {!is_beyond};
    const config::PolicyLimit& most = call.callee.limit->bounds;
    const bool has_too_many = most.max_rows > 0 && call.kept_rows + 1 > most.max_rows;
    const bool is_too_long = most.max_bytes > 0 && call.kept_bytes + message_bytes > most.max_bytes;
    if (has_too_many || is_too_long) {
        return {false, cut_off(call, has_too_many ? Excess::rows : Excess::bytes, now)};
    }
    ++call.kept_rows;
    call.kept_bytes += message_bytes;
    return {};
}

std::optional<wire::SqlError> StatementLimits::error_of_failed(std::uint32_t running, ByteView sqlstate) const {
    if (running == 0 || sqlstate != "57014") return std::nullopt;
    return error_of(calls_[running]);
}

std::optional<wire::SqlError> StatementLimits::error_of_answered(std::uint32_t number) const {
    if (number == 0) return std::nullopt;
    const Call& call = calls_[number];
    return call.failed || call.excess == Excess::duration ? std::nullopt : error_of(call);
}

bool StatementLimits::holds(FrontendTag tag) const {
    if (!is_cancelling_) return false;
    switch (tag) {
        case FrontendTag::query:
        case FrontendTag::parse:
        case FrontendTag::bind:
        case FrontendTag::execute:
        case FrontendTag::function_call: return true;
        default: return false;
    }
}

}  // namespace pgsluice::session
