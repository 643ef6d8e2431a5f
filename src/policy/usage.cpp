#include <pgsluice/policy/usage.hpp>

#include <algorithm>

namespace pgsluice::policy {

namespace {

constexpr std::chrono::seconds period{1};

}  // namespace

Usage::Answer Usage::take(std::string_view key, TimePoint now, bool is_counted, Slot& slot) {
    std::unique_lock lock(mutex_);
    Account& account = account_of(key, now);
    if (at_a_time_ > 0 && account.running >= at_a_time_) return Answer::too_many;
    if (per_second_ > 0 && !is_counted) {
        const TimePoint::duration apart = TimePoint::duration(period) / per_second_;
        const TimePoint due = std::max(account.due, now);
        if (due - now > period - apart) return Answer::too_fast;
        account.due = due + apart;
    }
    if (at_a_time_ == 0) return Answer::granted;
    ++account.running;
    // An account is not forgotten while something runs, so it stays where it is. Who finds no memory for a slot gives
    // it back at once, and has to lock for that.
    lock.unlock();
    slot = Slot(&account, [usage = shared_from_this()](const void* held) {
        const std::lock_guard giving_back(usage->mutex_);
        --static_cast<Account*>(const_cast<void*>(held))->running;
    });
    return Answer::granted;
}

Usage::Account& Usage::account_of(std::string_view key, TimePoint now) {
    const auto found = accounts_.find(std::string(key));
    if (found != accounts_.end()) return found->second;
    if (accounts_.size() >= most_keys && now - cleared_at_ >= period) {
        cleared_at_ = now;
        std::erase_if(accounts_,
                      [&](const auto& entry) { return entry.second.running == 0 && entry.second.due <= now; });
    }
    return accounts_[accounts_.size() >= most_keys ? std::string() : std::string(key)];
}

std::size_t Usage::keys() const {
    const std::lock_guard lock(mutex_);
    return accounts_.size();
}

}  // namespace pgsluice::policy
