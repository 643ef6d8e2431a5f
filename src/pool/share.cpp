#include <pgsluice/pool/share.hpp>

#include <algorithm>

namespace pgsluice::pool {

Share::Ticket Share::enqueue(WorkerIndex worker, TimePoint now) {
    const std::lock_guard lock(mutex_);
    queue_.push_back({next_ticket_, worker, now});
    waiting_.store(static_cast<std::uint32_t>(queue_.size()));
    return next_ticket_++;
}

bool Share::withdraw(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(queue_.begin(), queue_.end(), [&](const Called& waiting) { return waiting.ticket == ticket; });
    if (found == queue_.end()) return false;
    queue_.erase(found);
    waiting_.store(static_cast<std::uint32_t>(queue_.size()));
    return true;
}

std::optional<Share::Called> Share::call() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    const Called oldest = queue_.front();
    queue_.pop_front();
    waiting_.store(static_cast<std::uint32_t>(queue_.size()));
    return oldest;
}

void Share::put_back(const Called& called) {
    const std::lock_guard lock(mutex_);
    const auto next = std::find_if(queue_.begin(), queue_.end(),
                                   [&](const Called& waiting) { return waiting.ticket > called.ticket; });
    queue_.insert(next, called);
    waiting_.store(static_cast<std::uint32_t>(queue_.size()));
}

std::optional<TimePoint> Share::oldest() const {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    return queue_.front().since;
}

std::optional<Share::Called> Share::next() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty() ? std::nullopt : std::optional(queue_.front());
}

void Share::add_server(Generation of) {
    const std::lock_guard lock(mutex_);
    servers_.fetch_add(1);
    if (of < generation()) ++outdated_;
}

void Share::remove_server(Generation of) {
    const std::lock_guard lock(mutex_);
    servers_.fetch_sub(1);
    if (of < generation()) --outdated_;
}

void Share::replace_servers(Generation from) {
    const std::lock_guard lock(mutex_);
    if (from <= generation()) return;
    generation_.store(from, std::memory_order_relaxed);
    outdated_ = servers();
    login_answers_.forget();
}

void Share::learn_login(Generation of, std::uint64_t fingerprint, LoginAnswers::Greeting greeting) {
    const std::lock_guard lock(mutex_);
    if (of >= generation()) login_answers_.learn(fingerprint, std::move(greeting));
}

std::uint32_t Share::outdated() const {
    const std::lock_guard lock(mutex_);
    return outdated_;
}

std::optional<WorkerIndex> Share::somebody_idle(WorkerIndex self) const {
    for (std::size_t i = 0; i < workers_; ++i) {
        if (i != number(self) && idle_[i].count.load() > 0) return static_cast<WorkerIndex>(i);
    }
    return std::nullopt;
}

}  // namespace pgsluice::pool
