#include "cancel_forward.hpp"

#include "cancel_delivery.hpp"
#include "worker.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::daemon {

namespace {

constexpr Milliseconds repeat_after{1000};

}  // namespace

void CancelForwards::request(pool::Pool& pool, pool::Server& server, session::CancelToken token) {
    if (server.facts().cancel_secret.empty()) return;
    const auto& facts = server.facts();
    const auto [entry, is_first] = forwards_.try_emplace(
        facts.id, Forward{&pool, &server, std::static_pointer_cast<const ServerRoute>(facts.cancel_route),
                          facts.process_id, facts.cancel_secret});
    Forward& forward = entry->second;
    if (token != nullptr) forward.tokens.push_back(std::move(token));
    if (!is_first) {
        forward.is_asked_again = true;
        return;
    }
    server.begin_cancel();
    queue(facts.id, forward);
    send_waiting();
}

void CancelForwards::on_server_closed(ServerId id) {
    const auto found = forwards_.find(id);
    if (found == forwards_.end()) return;
    found->second.was_left_running = !found->second.server->exchange().at_rest();
    found->second.server = nullptr;
}

// What it was to cancel may have ended while it waited.
bool CancelForwards::is_wanted(const Forward& forward) {
    return forward.server == nullptr ? forward.was_left_running : !forward.server->exchange().at_rest();
}

bool CancelForwards::has_room() const {
    return under_way_ < std::max<std::size_t>(1, at_once / worker_.siblings().size());
}

void CancelForwards::queue(ServerId id, const Forward& forward) {
    (forward.tokens.empty() ? waiting_ : awaited_).push_back(id);
}

void CancelForwards::send_waiting() {
    while (has_room() && !(awaited_.empty() && waiting_.empty())) {
        std::deque<ServerId>& next = awaited_.empty() ? waiting_ : awaited_;
        const ServerId id = next.front();
        next.pop_front();
        if (is_wanted(forwards_.find(id)->second))
            send(id);
        else
            end(id);
    }
}

void CancelForwards::send(ServerId id) {
    ++under_way_;
    Forward& forward = forwards_.find(id)->second;
    forward.is_asked_again = false;
    // Whoever asks is still on the call stack, and a server that cannot be reached ends the request at once.
    worker_.post([this, id, route = forward.route, process_id = forward.process_id, secret = forward.secret,
                  tokens = std::exchange(forward.tokens, {})]() mutable {
        boost::asio::co_spawn(worker_.io(), deliver_cancel(worker_, *route, process_id, std::move(secret)),
                              [this, id, tokens = std::move(tokens)](const std::exception_ptr&, bool was_delivered) {
                                  on_sent(id, was_delivered);
                              });
    });
}

void CancelForwards::on_sent(ServerId id, bool was_delivered) {
    --under_way_;
    Forward& forward = forwards_.find(id)->second;
    const bool runs_on = forward.server == nullptr && forward.was_left_running;
    if (runs_on && was_delivered && !std::exchange(forward.is_repeated, true))
        repeats_.push_back({worker_.read_clock() + repeat_after, id});
    else if (forward.is_asked_again && forward.server != nullptr)
        queue(id, forward);
    else
        end(id);
    send_waiting();
}

void CancelForwards::sweep(TimePoint now) {
    for (; !repeats_.empty() && repeats_.front().due <= now; repeats_.pop_front()) {
        waiting_.push_back(repeats_.front().id);
    }
    send_waiting();
}

void CancelForwards::end(ServerId id) {
    const auto found = forwards_.find(id);
    const Forward ended = std::move(found->second);
    forwards_.erase(found);
    if (ended.server != nullptr) ended.pool->end_cancel(*ended.server);
}

}  // namespace pgsluice::daemon
