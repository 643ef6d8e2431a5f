#include "account_names.hpp"

#include <pgsluice/net/shared_lookups.hpp>

#include <pwd.h>

#include <cerrno>
#include <vector>

namespace pgsluice::daemon {
namespace {

constexpr std::size_t most_room = std::size_t{1} << 20;

using Accounts = net::SharedLookups<std::optional<std::string>>;

Accounts& accounts_of_process() {
    static Accounts only([](const std::string& uid) { return ask_account_name(static_cast<uid_t>(std::stoul(uid))); });
    return only;
}

}  // namespace

std::optional<std::string> ask_account_name(uid_t uid, std::size_t room) {
    for (;; room *= 2) {
        std::vector<char> buffer(room);
        passwd entry{};
        passwd* found = nullptr;
        const int error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE && room < most_room) continue;
        if (error != 0 || found == nullptr) return std::nullopt;
        return std::string(found->pw_name);
    }
}

boost::asio::awaitable<std::optional<std::optional<std::string>>> account_name(boost::asio::io_context& io, uid_t uid,
                                                                               TimePoint until) {
    net::Handover<std::optional<std::string>> handover(io, until);
    accounts_of_process().join(std::to_string(uid), handover.giver());
    co_return co_await handover.wait();
}

void forget_account_names() {
    accounts_of_process().forget_all();
}

}  // namespace pgsluice::daemon
