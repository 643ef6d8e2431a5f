// auth.query: asks a server for a user's stored password. On connections of its own, which nothing of a client ever
// reaches but the user name, as a bind parameter; their search_path is pinned. Answers are cached, never beyond a
// password's end. One per worker.
#pragma once

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/net/link.hpp>

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::daemon {

class Worker;

class AuthQueries {
  public:
    explicit AuthQueries(Worker& worker) : worker_(worker) {}

    // nullopt: there is no such user, or the password has expired. A string: the query failed, for the log.
    using Answer = std::variant<std::optional<auth::Credential>, std::string>;
    boost::asio::awaitable<Answer> ask(config::AuthQuery query, std::string user, TimePoint until);

    // A reload: what was cached may be out of date, and connections go to servers that are configured no more.
    void reset();
    void sweep(TimePoint now);

  private:
    struct Cached {
        std::optional<auth::Credential> credential;
        TimePoint until;
    };
    struct Idle {
        net::LinkPtr link;
        TimePoint since;
    };

    boost::asio::awaitable<std::variant<net::LinkPtr, std::string>> connect(config::AuthQuery query, TimePoint until);
    Answer remember(const config::AuthQuery& query, const std::string& key,
                    const std::vector<std::optional<std::string>>& row);

    Worker& worker_;
    std::map<std::string, Cached> cache_;    // by query and user
    std::multimap<std::string, Idle> idle_;  // by query
    std::uint64_t generation_ = 0;
};

}  // namespace pgsluice::daemon
