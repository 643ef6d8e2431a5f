#include "cancel_forward.hpp"

#include "worker.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <array>

namespace pgsluice::daemon {

boost::asio::awaitable<void> forward_cancel(Worker& worker, std::shared_ptr<const ServerRoute> route,
                                            std::int32_t process_id, Bytes secret, ServerId server,
                                            session::CancelToken token) {
    const TimePoint until = deadline(worker.read_clock(), worker.snapshot()->config.timeouts.cancel);
    net::Outcome<net::LinkPtr> opened = co_await open_connection(worker.reactor(), *route, until);
    if (opened) {
        Bytes request;
        wire::write_cancel_request(request, process_id, secret);
        const error_code error = co_await (*opened)->write_all(request, until);
        std::array<char, 1> answer{};
        const std::span<char> into(answer);
        // PostgreSQL answers nothing and closes when the signal has been sent. Whatever does answer is not listened to.
        if (!error) co_await (*opened)->read_some(into, until);
    } else {
        worker.metrics().worker().cancels[metrics::CancelOutcome::failed].add();
        log::warning("cancel_failed", opened.error().text, {});
    }
    worker.end_cancel(server);
    token.reset();
}

}  // namespace pgsluice::daemon
