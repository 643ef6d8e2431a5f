#include "resolver.hpp"

#include "lookups.hpp"

#include <boost/asio/error.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace pgsluice::net {

asio::awaitable<Outcome<std::vector<Address>>> resolve(asio::io_context& io, std::string host, TimePoint until) {
    if (const auto literal = Address::parse(host)) {
        std::vector<Address> itself{*literal};
        co_return itself;
    }
    const std::string what = "could not resolve \"" + host + "\": ";
    Handover<HostAnswer> handover(io, until);
    try {
        lookups_of_process().join(host, handover.giver());
    } catch (const std::system_error& error) {
        co_return Error{asio::error::no_memory, what + "no thread for it: " + error.code().message()};
    }
    std::optional<HostAnswer> answer = co_await handover.wait();
    if (!answer) co_return Error{asio::error::timed_out, what + "timed out"};
    if (!answer->failure.empty()) co_return Error{asio::error::host_not_found, what + answer->failure};
    co_return std::move(answer->addresses);
}

}  // namespace pgsluice::net
