#include "derive.hpp"

#include <pgsluice/net/handover.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace pgsluice::daemon {

boost::asio::awaitable<std::optional<auth::ScramKeys>> derive(Process& process, boost::asio::io_context& io,
                                                              auth::Derivation wanted, TimePoint until) {
    if (auto known = process.keys.find(wanted)) co_return known;
    net::Handover<auth::ScramKeys> handover(io, until);
    auto work = [giver = handover.giver(), &keys = process.keys, wanted = std::move(wanted)] {
        if (!giver.is_wanted()) return;
        auth::ScramKeys made = auth::derive(wanted);
        // Whoever comes again after a timeout finds them.
        keys.add(wanted, made);
        giver.give(std::move(made));
    };
    boost::asio::post(process.helpers, std::move(work));
    co_return co_await handover.wait();
}

}  // namespace pgsluice::daemon
