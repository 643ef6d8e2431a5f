// auth.query: asks a server for a user's stored password. On connections of its own, which nothing of a client ever
// reaches but the user name, as a bind parameter; their search_path is pinned. Answers are cached, never beyond a
// password's end. One per worker, with a few connections at most: whoever asks has proved nothing yet, and could take
// every connection that the server has by making up names. Those who ask for one name at a time share one answer.
#pragma once

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/net/link.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::daemon {

class Worker;

// What tells one auth.query from another: where it is asked, as whom, and what.
std::string key_of(const config::AuthQuery& query);

class AuthQueries {
  public:
    explicit AuthQueries(Worker& worker);

    // nullopt: there is no such user, or the password has expired; nor is there one whose name the server does not
    // take. A string: the query failed, for the log. Whether it did, and what verifiers have, is noted in the
    // Process too, for those who log in without a look-up.
    using Answer = std::variant<std::optional<auth::Credential>, std::string>;
    boost::asio::awaitable<Answer> ask(config::AuthQuery query, std::string user, TimePoint until);

    // A login has failed by the answer: the password may have been changed. The answer counts for negative_cache more,
    // so that whoever tries passwords does not make a look-up of each.
    void distrust(const config::AuthQuery& query, const std::string& user);
    // A reload: what was cached may be out of date, and connections go to servers that are configured no more.
    void reset();
    void sweep(TimePoint now);

  private:
    static constexpr std::size_t most_at_once = 2;

    // The look-up of one name, for those who came while it was under way.
    struct Asking {
        explicit Asking(boost::asio::io_context& io) : done(io, boost::asio::steady_timer::time_point::max()) {}
        boost::asio::steady_timer done;  // never expires: all its waiters are woken at once
        std::optional<Answer> answer;    // none where only the time of the one who asked was up
    };
    // How many look-ups are under way, and who waits for one of them to end.
    struct Gate {
        explicit Gate(boost::asio::io_context& io) : freed(io, boost::asio::steady_timer::time_point::max()) {}
        std::size_t under_way = 0;
        boost::asio::steady_timer freed;  // never expires: its waiters are woken one by one, oldest first
        std::map<std::string, std::shared_ptr<Asking>> asking;  // by reload, query and user
    };
    // Being the one who asks for a name. As a Turn, it may outlive its owner.
    class Asker {
      public:
        Asker(std::shared_ptr<Gate> gate, std::string key, std::shared_ptr<Asking> asking)
            : gate_(std::move(gate)), key_(std::move(key)), asking_(std::move(asking)) {
            gate_->asking.emplace(key_, asking_);
        }
        Asker(const Asker&) = delete;
        Asker& operator=(const Asker&) = delete;
        ~Asker() {
            gate_->asking.erase(key_);
            asking_->done.cancel();
        }
        void tell(const Answer& answer) const { asking_->answer = answer; }

      private:
        const std::shared_ptr<Gate> gate_;
        const std::string key_;
        const std::shared_ptr<Asking> asking_;
    };
    // One look-up. It may outlive its owner, in the frame of a coroutine that ends with the loop.
    class Turn {
      public:
        explicit Turn(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) { ++gate_->under_way; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            --gate_->under_way;
            gate_->freed.cancel_one();
        }

      private:
        const std::shared_ptr<Gate> gate_;
    };
    struct Cached {
        std::optional<auth::Credential> credential;
        TimePoint until;
    };
    struct Idle {
        net::LinkPtr link;
        TimePoint since;
    };

    // Waits for its turn, then asks.
    boost::asio::awaitable<Answer> look_up(config::AuthQuery query, std::string user, std::string key, TimePoint until);
    // `name_refused`: the server did not take the name, which says nothing of whether it answers others.
    boost::asio::awaitable<Answer> query_server(config::AuthQuery query, std::string user, std::string key,
                                                TimePoint until, bool& name_refused);
    const Cached* find_cached(const std::string& key);
    boost::asio::awaitable<net::Outcome<net::LinkPtr>> connect(config::AuthQuery query, TimePoint until);
    TimePoint within_connect_time(TimePoint until);
    Answer remember(const config::AuthQuery& query, const std::string& key, const std::string& user,
                    const std::vector<std::optional<std::string>>& row, std::uint64_t asked_in);

    Worker& worker_;
    std::map<std::string, Cached> cache_;    // by query and user
    std::multimap<std::string, Idle> idle_;  // by query
    std::set<std::string> takes_utf8_only_;  // queries whose server said so at login
    std::uint64_t generation_ = 0;
    const std::shared_ptr<Gate> gate_;
};

}  // namespace pgsluice::daemon
