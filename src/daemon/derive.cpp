#include "derive.hpp"

namespace pgsluice::daemon {

boost::asio::awaitable<std::optional<auth::ScramKeys>> derive(Process& process, boost::asio::io_context& io,
                                                              auth::Derivation wanted, TimePoint until) {
    if (auto known = process.keys.find(wanted)) co_return known;
    // Kept by the helper: whoever comes again after a timeout finds them.
    std::function<auth::ScramKeys()> work = [&keys = process.keys, wanted = std::move(wanted)] {
        auth::ScramKeys made = auth::derive(wanted);
        keys.add(wanted, made);
        return made;
    };
    co_return co_await on_helper(process, io, std::move(work), until);
}

}  // namespace pgsluice::daemon
