#include <pgsluice/session/calls.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::session {

std::uint32_t Calls::begin(Callee callee, TimePoint now, Microseconds waited_so_far) {
    Call& call = calls_.add_back();
    call.callee = std::move(callee);
    call.sent_at = now;
    call.wait = waited_so_far - std::exchange(waited_, waited_so_far);
    return first_ + static_cast<std::uint32_t>(calls_.size() - 1);
}

const Call& Calls::finish(std::uint32_t number, TimePoint now) {
    Call& call = calls_[number - first_];
    call.server_time = std::chrono::duration_cast<Microseconds>(now - began_at(number));
    call.slot.reset();
    call.is_over = true;
    answered_at_ = now;
    return call;
}

TimePoint Calls::began_at(std::uint32_t number) const {
    return std::max(calls_[number - first_].sent_at, answered_at_);
}

void Calls::forget(std::uint32_t number) {
    calls_[number - first_].slot.reset();
    calls_[number - first_].is_over = true;
    drop_finished();
}

void Calls::drop_finished() {
    while (!calls_.empty() && calls_.front().is_over) {
        calls_.drop_front();
        ++first_;
    }
    // Long before they come round to 0, which is no call's.
    constexpr std::uint32_t far = 1U << 31;
    if (calls_.empty() && first_ >= far) first_ = 1;
}

}  // namespace pgsluice::session
