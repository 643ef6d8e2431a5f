#include "resolver.hpp"

#include "socket_address.hpp"

#include <pgsluice/net/asio.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace pgsluice::net {

namespace {

using asio::ip::tcp;

// Shared by the coroutine and by getaddrinfo's answer, which cannot be called off and may come long after.
struct Lookup {
    explicit Lookup(asio::io_context& io) : resolver(io), answered(io) {}
    tcp::resolver resolver;
    asio::steady_timer answered;  // runs until the deadline; cancelled by the answer
    bool has_answer = false;
    error_code error;
    tcp::resolver::results_type results;
};

std::vector<Address> addresses_in(const tcp::resolver::results_type& results) {
    std::vector<Address> addresses;
    for (const auto& entry : results) {
        SocketAddress raw;
        raw.size = static_cast<socklen_t>(entry.endpoint().size());
        std::memcpy(&raw.any, entry.endpoint().data(), raw.size);
        Address address = address_of(raw);
        address.port = 0;
        if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    }
    return addresses;
}

}  // namespace

asio::awaitable<Outcome<std::vector<Address>>> resolve(asio::io_context& io, std::string host, TimePoint until) {
    if (const auto literal = Address::parse(host)) {
        std::vector<Address> itself{*literal};
        co_return itself;
    }
    const auto lookup = std::make_shared<Lookup>(io);
    lookup->answered.expires_at(until);
    lookup->resolver.async_resolve(host, "", tcp::resolver::flags(),
                                   [lookup](error_code error, tcp::resolver::results_type results) {
                                       lookup->has_answer = true;
                                       lookup->error = error;
                                       lookup->results = std::move(results);
                                       lookup->answered.cancel();
                                   });
    co_await lookup->answered.async_wait(as_tuple);
    const std::string what = "could not resolve \"" + host + "\": ";
    if (!lookup->has_answer) co_return Error{asio::error::timed_out, what + "timed out"};
    if (lookup->error) co_return Error{lookup->error, what + lookup->error.message()};
    std::vector<Address> addresses = addresses_in(lookup->results);
    if (addresses.empty()) co_return Error{asio::error::host_not_found, what + "no address"};
    co_return addresses;
}

}  // namespace pgsluice::net
