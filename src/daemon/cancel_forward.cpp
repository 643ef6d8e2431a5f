#include "cancel_forward.hpp"

#include "cancel_delivery.hpp"
#include "worker.hpp"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace pgsluice::daemon {

void CancelForwards::request(pool::Pool& pool, pool::Server& server, session::CancelToken token) {
    if (server.facts().cancel_secret.empty()) return;
    const auto [entry, is_first] = forwards_.try_emplace(server.facts().id, Forward{&pool, &server});
    Forward& forward = entry->second;
    if (token != nullptr) forward.tokens.push_back(std::move(token));
    if (!is_first) {
        forward.is_asked_again = true;
        return;
    }
    server.begin_cancel();
    waiting_.push_back(server.facts().id);
    send_waiting();
}

void CancelForwards::on_server_closed(ServerId id) {
    if (const auto found = forwards_.find(id); found != forwards_.end()) found->second.server = nullptr;
}

bool CancelForwards::has_room() const {
    return under_way_ <= at_once / worker_.siblings().size();
}

void CancelForwards::send_waiting() {
    while (!waiting_.empty() && has_room()) {
        const ServerId id = waiting_.front();
        waiting_.pop_front();
        pool::Server* server = forwards_.find(id)->second.server;
        // What it was to cancel may have ended while it waited.
        if (server == nullptr || server->exchange().at_rest())
            end(id);
        else
            send(id);
    }
}

void CancelForwards::send(ServerId id) {
    ++under_way_;
    Forward& forward = forwards_.find(id)->second;
    forward.is_asked_again = false;
    const auto& facts = forward.server->facts();
    // Whoever asks is still on the call stack, and a server that cannot be reached ends the request at once.
    worker_.post([this, id, route = std::static_pointer_cast<const ServerRoute>(facts.cancel_route),
                  process_id = facts.process_id, secret = facts.cancel_secret,
                  tokens = std::exchange(forward.tokens, {})]() mutable {
        boost::asio::co_spawn(worker_.io(), deliver_cancel(worker_, *route, process_id, std::move(secret)),
                              [this, id, tokens = std::move(tokens)](const std::exception_ptr&) { on_sent(id); });
    });
}

void CancelForwards::on_sent(ServerId id) {
    --under_way_;
    if (forwards_.find(id)->second.is_asked_again)
        waiting_.push_back(id);
    else
        end(id);
    send_waiting();
}

void CancelForwards::end(ServerId id) {
    const auto found = forwards_.find(id);
    const Forward ended = std::move(found->second);
    forwards_.erase(found);
    if (ended.server != nullptr) ended.pool->end_cancel(*ended.server);
}

}  // namespace pgsluice::daemon
