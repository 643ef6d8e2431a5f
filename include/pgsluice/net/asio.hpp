// Names of Asio that the project uses, and its one completion token: an awaited operation never throws, its error_code
// comes back as the first element of a tuple.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::net {

namespace asio = boost::asio;

// A constant, not a temporary inside the co_await expression: g++ 12 has miscompiled those.
inline constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

}  // namespace pgsluice::net
