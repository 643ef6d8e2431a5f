// A blocking GET for `pgsluice health` and tests. Not for use on a worker.
#pragma once

#include <pgsluice/base/result.hpp>
#include <pgsluice/base/time.hpp>

#include <cstdint>
#include <string>

namespace pgsluice::http {

struct Reply {
    unsigned status = 0;
    std::string body;
};

// Who is asked.
struct Endpoint {
    std::string address{};  // an IP address; an unspecified one (0.0.0.0, ::) means loopback, so that a listener's may
                            // be asked
    std::uint16_t port = 0;
    std::string unix_path{};  // asked where it is not empty, instead of the address
    bool by_tls = false;      // whoever answers is believed: it is for asking a neighbour
};

// `timeout` covers all; when it has passed the error is errc::timed_out.
Result<Reply> get(const Endpoint& endpoint, const std::string& path, Milliseconds timeout);

}  // namespace pgsluice::http
