// What computes for long, off the worker, whose loop serves everybody.
#pragma once

#include "process.hpp"

#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/net/handover.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace pgsluice::daemon {

// What `work` makes on a helper thread; nullopt where it has not come by `until`. Work that has not begun by then, or
// by the end of the loop, never does.
template <class T>
boost::asio::awaitable<std::optional<T>> on_helper(Process& process, boost::asio::io_context& io,
                                                   std::function<T()> work, TimePoint until) {
    net::Handover<T> handover(io, until);
    boost::asio::post(process.helpers, [giver = handover.giver(), work = std::move(work)] {
        if (giver.is_wanted()) giver.give(work());
    });
    co_return co_await handover.wait();
}

// From the cache, else from a helper thread.
boost::asio::awaitable<std::optional<auth::ScramKeys>> derive(Process& process, boost::asio::io_context& io,
                                                              auth::Derivation wanted, TimePoint until);

}  // namespace pgsluice::daemon
