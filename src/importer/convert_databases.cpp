// [databases]: each line becomes a route, and lines of equal servers and limits share a cluster.
#include "convert.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/config/ranges.hpp>
#include <pgsluice/config/schemaless_names.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace pgsluice::importer {
namespace {

// A route lists its users by name, so that many users times many databases would be a file that nobody can read, nor
// this program write in the memory there is.
constexpr std::size_t most_routes = 5000, most_names = 100'000;
const std::vector<std::string_view> database_keys{"dbname",
                                                  "host",
                                                  "port",
                                                  "user",
                                                  "password",
                                                  "auth_user",
                                                  "auth_query",
                                                  "auth_dbname",
                                                  "pool_size",
                                                  "min_pool_size",
                                                  "reserve_pool",
                                                  "reserve_pool_size",
                                                  "connect_query",
                                                  "pool_mode",
                                                  "query_wait_timeout",
                                                  "server_lifetime",
                                                  "load_balance_hosts",
                                                  "max_db_connections",
                                                  "max_db_client_connections",
                                                  "client_encoding",
                                                  "datestyle",
                                                  "timezone",
                                                  "application_name"};
const std::vector<std::string_view> pool_keys_of_users{"pool_mode", "pool_size", "reserve_pool_size",
                                                       "query_wait_timeout"};

bool is_any(const Entry& database) {
    return database.name == "*";
}

// What holds for a pool: a value of its [users] line, else of its [databases] line, else of [pgbouncer].
class Layers {
  public:
    Layers(const Source& source, const Entry& database, const Entry* user)
        : source_(source), database_(database), user_(user) {}

    std::string text(std::string_view key, std::string_view option) const {
        const std::string* value = find(key);
        return value == nullptr ? source_.options.text(option) : *value;
    }
    std::uint32_t number(std::string_view key, std::string_view option, std::uint32_t most) const {
        const std::string* value = find(key);
        if (value == nullptr) return source_.number_within(option, 0, most);
        const std::uint32_t given = source_.number(*value, source_.options.number(option), database_, key);
        return source_.within(given, 0, most, database_.place, key);
    }
    Milliseconds seconds(std::string_view key, std::string_view option) const {
        const std::string* value = find(key);
        const Milliseconds below = source_.options.seconds(option);
        return value == nullptr ? below : source_.seconds(*value, below, database_, key);
    }

  private:
    const std::string* find(std::string_view key) const {
        const std::string* value = user_ == nullptr ? nullptr : user_->find(key);
        if (value == nullptr) value = database_.find(key);
        if (value == nullptr && key == "reserve_pool_size") value = database_.find("reserve_pool");  // its older name
        return value;
    }

    const Source& source_;
    const Entry& database_;
    const Entry* user_;
};

config::PoolMode mode_of(const std::string& text, const Entry& database, Findings& findings) {
    const std::string word = lower_case(text);
    if (word == "transaction") return config::PoolMode::transaction;
    if (word == "statement") return config::PoolMode::statement;
    if (word != "session") findings.add(Weight::broken, database.place, "pool_mode", "is no mode of PgBouncer");
    return config::PoolMode::session;
}

config::Pool pool_of(const Source& source, const Entry& database, const Entry* user) {
    const Layers layers(source, database, user);
    config::Pool pool;
    pool.mode = mode_of(layers.text("pool_mode", "pool_mode"), database, source.findings);
    pool.size = layers.number("pool_size", "default_pool_size", config::largest_pool);
    if (pool.size == 0) {
        pool.size = std::clamp(source.options.number("max_client_conn"), 1U, config::largest_pool);
        source.findings.add(Weight::note, database.place, "pool_size",
                            "a pool without a limit gets as many servers as there may be clients, and at most " +
                                std::to_string(config::largest_pool));
    }
    pool.min_size = std::min(layers.number("min_pool_size", "min_pool_size", config::largest_pool), pool.size);
    if (pool.mode == config::PoolMode::session && pool.min_size != 0) {
        pool.min_size = 0;
        source.findings.add(Weight::note, database.place, "min_pool_size",
                            "is left out in session mode, where no server is kept ready");
    }
    pool.reserve_size = layers.number("reserve_pool_size", "reserve_pool_size", config::largest_pool);
    pool.reserve_timeout = source.options.seconds("reserve_pool_timeout");
    if (pool.reserve_timeout == Milliseconds(0)) pool.reserve_size = 0;  // off there, at once here
    pool.query_wait_timeout = layers.seconds("query_wait_timeout", "query_wait_timeout");
    pool.idle_timeout = source.options.seconds("server_idle_timeout");
    // 0 is "at once" there and "never" here.
    pool.lifetime = std::max(layers.seconds("server_lifetime", "server_lifetime"), Milliseconds(1));
    pool.check_after_idle = std::max(source.options.seconds("server_check_delay"), Milliseconds(1));
    if (source.options.text("server_check_query").empty()) pool.check_after_idle = Milliseconds(0);
    pool.max_prepared_statements = source.number_within("max_prepared_statements", 0, config::most_prepared_statements);
    return pool;
}

config::ServerTls server_tls(const Source& source) {
    using enum config::ServerTlsMode;
    const Options& options = source.options;
    config::ServerTls tls;
    const auto& modes = config::server_tls_modes;
    const auto* const found =
        std::find_if(modes.begin(), modes.end(),
                     [word = options.word("server_tls_sslmode")](const auto& mode) { return mode.first == word; });
    if (found == modes.end()) {
        source.findings.add(Weight::broken, options.place("server_tls_sslmode"), "server_tls_sslmode",
                            "is no mode of PgBouncer; verify-full is taken");
        return tls;
    }
    tls.mode = found->second;
    // Without these modes PgBouncer looks at no certificate, and libpq's require, which ours is, would with a ca.
    if (tls.mode == verify_ca || tls.mode == verify_full) tls.ca = options.file("server_tls_ca_file");
    tls.certificate = options.file("server_tls_cert_file");
    tls.private_key = options.file("server_tls_key_file");
    return tls;
}

// Users whose lines in [users] say the same about the pool: they can share a route, in which each still has a pool.
struct UserPool {
    Entry line;  // of the first of them
    std::vector<std::string> users;

    bool is_like(const Entry& other) const {
        return std::all_of(pool_keys_of_users.begin(), pool_keys_of_users.end(), [&](std::string_view key) {
            return line.has(key) == other.has(key) && line.text(key) == other.text(key);
        });
    }
};

std::vector<UserPool> user_pools_of(const std::vector<Entry>& lines) {
    std::vector<UserPool> pools;
    for (const Entry& line : lines) {
        const auto says_something = [&](std::string_view key) { return line.has(key); };
        if (std::none_of(pool_keys_of_users.begin(), pool_keys_of_users.end(), says_something)) continue;
        const auto alike =
            std::find_if(pools.begin(), pools.end(), [&](const UserPool& pool) { return pool.is_like(line); });
        if (alike == pools.end())
            pools.push_back({line, {line.name}});
        else
            alike->users.push_back(line.name);
    }
    return pools;
}

class Converter {
  public:
    Converter(const Source& source, config::Config& config)
        : source_(source), config_(config), tls_(server_tls(source)) {}

    void run() {
        auto databases = entries_of(source_, "databases", database_keys);
        // The fallback comes last: the first route that matches wins.
        std::stable_partition(databases.begin(), databases.end(), [](const Entry& e) { return !is_any(e); });
        auto users = user_pools_of(entries_of(source_, "users", {}));
        if (!fits(databases, users)) users.clear();
        if (databases.size() > most_routes) databases.erase(databases.begin() + most_routes, databases.end());
        for (const Entry& database : databases) add_database(database, users);
        name_clusters();
    }

  private:
    // Otherwise it says so.
    bool fits(const std::vector<Entry>& databases, const std::vector<UserPool>& users) {
        std::size_t names_of_users = 0, routes = 0, names = 0;
        for (const UserPool& pool : users) names_of_users += pool.users.size();
        for (const Entry& database : databases) {
            const bool is_for_all = database.has("user");
            routes += is_for_all ? 1 : users.size() + 1;
            names += is_for_all ? 0 : names_of_users;
        }
        if (routes <= most_routes && names <= most_names) return true;
        source_.findings.add(
            Weight::broken, databases.front().place, "[databases] and [users]",
            "would make " + std::to_string(routes) + " routes that name users " + std::to_string(names) +
                " times: one for each database and kind of pool that users have. At most " +
                std::to_string(most_routes) + " routes and " + std::to_string(most_names) +
                " names are written, so the pools of [users] are left out, as are databases beyond as many routes; "
                "give fewer users pools of their own, or import the databases in parts");
        return false;
    }

    void add_database(const Entry& database, const std::vector<UserPool>& users) {
        const std::size_t cluster = cluster_of(database);
        const std::string* forced = database.find("user");
        if (forced == nullptr) {
            for (const UserPool& pool : users) add_route(database, &pool, cluster);
            return add_route(database, nullptr, cluster);
        }
        // The pool's user is the same for all clients, and so are its limits.
        const auto pool = std::find_if(users.begin(), users.end(), [&](const UserPool& each) {
            return std::find(each.users.begin(), each.users.end(), *forced) != each.users.end();
        });
        add_route(database, pool == users.end() ? nullptr : &*pool, cluster);
    }

    // `users` have lines in [users] about the pool.
    void add_route(const Entry& database, const UserPool* users, std::size_t cluster) {
        const bool is_for_users = users != nullptr && !database.has("user");
        config::Route route;
        route.name = (is_any(database) ? "others" : database.name) + (is_for_users ? '/' + users->line.name : "");
        while (!route_names_.insert(route.name).second) route.name += "-2";
        if (!is_any(database)) route.match.databases = {database.name};
        if (is_for_users) route.match.users = users->users;
        clusters_of_routes_.push_back(cluster);
        if (const std::string name = database.text("dbname"); name != database.name) route.database = name;
        route.user = database.text("user");
        if (const std::string* password = database.find("password")) {
            if (!route.user.empty())
                route.password = Secret(*password);
            else
                source_.findings.add(Weight::note, database.place, "password",
                                     "is left out: without user= PgBouncer logs in with each user's own");
        }
        for (const std::string_view name : {"client_encoding", "datestyle", "timezone", "application_name"}) {
            if (const std::string* value = database.find(name)) route.parameters.emplace_back(name, *value);
        }
        route.connect_query = database.text("connect_query");
        route.max_connections = source_.within(
            source_.number(database.text("max_db_client_connections", "0"), 0, database, "max_db_client_connections"),
            0, config::most_connections, database.place, "max_db_client_connections");
        if (route.max_connections != 0 && (is_for_users || is_any(database)))
            source_.findings.add(Weight::note, database.place, "max_db_client_connections",
                                 is_any(database)
                                     ? "holds for all databases of * together"
                                     : "holds for the users of each route with a pool of theirs, and for the others");
        const auto everywhere = source_.options.number("max_db_client_connections");
        if (everywhere != 0 && database.has("max_db_client_connections") &&
            (route.max_connections == 0 || route.max_connections > everywhere)) {
            source_.findings.add(Weight::note, database.place, "max_db_client_connections",
                                 "limits.connections_per_database, which is smaller, holds too");
        }
        route.pool = pool_of(source_, database, users == nullptr ? nullptr : &users->line);
        if (!route.connect_query.empty() && route.pool.mode == config::PoolMode::session)
            source_.findings.add(Weight::note, database.place, "connect_query",
                                 "what it sets holds in session mode also where a client asks for another value at its "
                                 "login; PgBouncer sets what the client asked for behind it");
        config_.routes.push_back(std::move(route));
    }

    // Each once.
    std::vector<std::string> hosts_of(const Entry& database) {
        std::vector<std::string> hosts;
        for (std::string& host : split_list(database.text("host", source_.options.text("unix_socket_dir")))) {
            if (std::find(hosts.begin(), hosts.end(), host) == hosts.end())
                hosts.push_back(std::move(host));
            else
                source_.findings.add(Weight::note, database.place, "host",
                                     "names " + escaped(host, 100) +
                                         " more than once, which gave it a larger share; it is written once, and "
                                         "servers have equal shares");
        }
        return hosts;
    }

    // The index of the cluster that serves it, made where there is none yet.
    std::size_t cluster_of(const Entry& database) {
        config::Cluster cluster;
        const auto hosts = hosts_of(database);
        const std::uint16_t port = source_.port(database.text("port", "5432"), 5432, database);
        for (const std::string& host : hosts) cluster.servers.push_back({host, port});
        if (hosts.empty())
            source_.findings.add(Weight::broken, database.place, "host", "there is none, and no unix_socket_dir");
        if (hosts.size() > 1 && database.text("load_balance_hosts", "round-robin") != "disable") {
            cluster.load_balance_hosts = config::LoadBalance::random;
            source_.findings.add(Weight::note, database.place, "host", "hosts are taken at random, not in turn");
        }
        cluster.tls = tls_;
        cluster.max_connections =
            Layers(source_, database, nullptr)
                .number("max_db_connections", "max_db_connections", config::most_server_connections);
        if (cluster.max_connections != 0 && (hosts.size() > 1 || is_any(database))) {
            source_.findings.add(
                Weight::note, database.place, "max_db_connections",
                is_any(database) ? "holds for all databases of * together, at each server" : "holds at each server");
        }
        cluster.source.query = query_of(database);
        // A limit is a database's own, and so is where its users are looked up.
        const auto& query = cluster.source.query;
        const Key key{cluster.servers, cluster.load_balance_hosts, cluster.max_connections == 0 ? "" : database.name,
                      query ? query->user + '\0' + query->database : "", query ? query->sql : ""};
        const auto [found, is_new] = clusters_.try_emplace(key, config_.clusters.size());
        if (is_new) {
            cluster.name = is_any(database) ? "others" : database.name;
            while (!cluster_names_.insert(cluster.name).second) cluster.name += "-2";
            config_.clusters.push_back(std::move(cluster));
        }
        return found->second;
    }

    Place place_of_query(const Entry& database) const {
        return database.has("auth_query") ? database.place : source_.options.place("auth_query");
    }

    std::optional<config::AuthQuery> query_of(const Entry& database) {
        const Layers layers(source_, database, nullptr);
        config::AuthQuery query;
        query.user = layers.text("auth_user", "auth_user");
        if (query.user.empty()) return std::nullopt;
        query.sql = layers.text("auth_query", "auth_query");
        query.database = layers.text("auth_dbname", "auth_dbname");
        if (query.database.empty()) query.database = database.text("dbname", is_any(database) ? "" : database.name);
        if (query.database.empty()) {
            query.database = "postgres";
            const bool is_of_the_catalog =
                query.sql.find("pg_authid") != std::string::npos || query.sql.find("pg_shadow") != std::string::npos;
            source_.findings.add(is_of_the_catalog ? Weight::note : Weight::less_safe, database.place, "auth_query",
                                 "users are looked up in the database postgres, and not in each client's");
        }
        if (const std::string advice = config::schemaless_advice(query.sql); !advice.empty())
            source_.findings.add(Weight::not_done, place_of_query(database), "auth_query", advice);
        if (const config::User* user = source_.find_user(query.user)) query.password = user->password;
        return query;
    }

    // One is "main"; several are called after their first database.
    void name_clusters() {
        if (config_.clusters.size() == 1) config_.clusters[0].name = "main";
        for (std::size_t i = 0; i < config_.routes.size(); ++i)
            config_.routes[i].cluster = config_.clusters[clusters_of_routes_[i]].name;
    }

    using Key = std::tuple<std::vector<config::Endpoint>, config::LoadBalance, std::string, std::string, std::string>;

    const Source& source_;
    config::Config& config_;
    const config::ServerTls tls_;
    std::map<Key, std::size_t> clusters_;          // their index in config_
    std::vector<std::size_t> clusters_of_routes_;  // by route
    std::set<std::string> cluster_names_, route_names_;
};

}  // namespace

void convert_databases(const Source& source, config::Config& config) {
    Converter(source, config).run();
}

}  // namespace pgsluice::importer
