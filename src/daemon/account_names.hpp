// The accounts of this machine, by which the method peer tells clients. A name service may stand behind them, which is
// asked over a network.
#pragma once

#include <pgsluice/base/time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

namespace pgsluice::daemon {

// nullopt: there is no such account. Blocks. `room` is what is tried first for all that is known of one.
std::optional<std::string> ask_account_name(uid_t uid, std::size_t room = 4096);

// Asked on a thread of its own, lest those who need keys wait for it. nullopt: no answer by `until`.
boost::asio::awaitable<std::optional<std::optional<std::string>>> account_name(boost::asio::io_context& io, uid_t uid,
                                                                               TimePoint until);

// Nobody waits for one any more.
void forget_account_names();

}  // namespace pgsluice::daemon
