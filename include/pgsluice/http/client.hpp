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

// `address` is an IP address; an unspecified one (0.0.0.0, ::) means loopback, so that a listener's address may be
// asked. `timeout` covers all; when it has passed the error is errc::timed_out.
Result<Reply> get(const std::string& address, std::uint16_t port, const std::string& path, Milliseconds timeout);

}  // namespace pgsluice::http
