// A coroutine that waits inside a link during setup.
#pragma once

#include <pgsluice/net/link.hpp>

#include <boost/asio/any_completion_handler.hpp>

namespace pgsluice::net {

struct Link::SetupWait {
    Event event;
    boost::asio::any_completion_handler<void(error_code)> handler;
};

}  // namespace pgsluice::net
