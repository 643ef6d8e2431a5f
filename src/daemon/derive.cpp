#include "derive.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::daemon {
namespace {

boost::asio::awaitable<auth::ScramKeys> derive_here(const auth::Derivation& wanted) {
    co_return auth::derive(wanted);
}

}  // namespace

boost::asio::awaitable<auth::ScramKeys> derive(Process& process, auth::Derivation wanted) {
    if (auto known = process.keys.find(wanted)) co_return std::move(*known);
    auth::ScramKeys keys =
        co_await boost::asio::co_spawn(process.helpers, derive_here(wanted), boost::asio::use_awaitable);
    process.keys.add(wanted, keys);
    co_return keys;
}

}  // namespace pgsluice::daemon
