#include "cancel_delivery.hpp"

#include "worker.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <array>
#include <utility>

namespace pgsluice::daemon {

boost::asio::awaitable<bool> deliver_cancel(Worker& worker, ServerRoute route, std::int32_t process_id, Bytes secret) {
    const TimePoint until = deadline(worker.read_clock(), worker.snapshot()->config.timeouts.cancel);
    net::Outcome<net::LinkPtr> opened = co_await open_connection(worker.reactor(), std::move(route), until);
    if (!opened) {
        worker.metrics().worker().cancels[metrics::CancelOutcome::failed].add();
        log::warning("cancel_failed", opened.error().text, {});
        co_return false;
    }
    Bytes request;
    wire::write_cancel_request(request, process_id, secret);
    const error_code error = co_await (*opened)->write_all(request, until);
    std::array<char, 1> answer{};
    const std::span<char> into(answer);
    // Nothing is answered. Whatever does answer is not listened to.
    if (!error) co_await (*opened)->read_some(into, until);
    co_return !error;
}

}  // namespace pgsluice::daemon
