// [databases]: each line becomes a route, and lines of equal servers and limits share a cluster.
#include "convert.hpp"
#include "files.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace pgsluice::importer {
namespace {

constexpr std::uint32_t largest_pool = 100'000;
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

// A value of `entry`, else of `below`, else the option's; how a [users] line stands above a [databases] line.
class Layers {
  public:
    Layers(const Source& source, const Entry& database, const Entry* user)
        : source_(source), database_(database), user_(user) {}

    std::string text(std::string_view key, std::string_view option) const {
        const std::string* value = user_ == nullptr ? nullptr : user_->find(key);
        if (value == nullptr) value = database_.find(key);
        return value == nullptr ? source_.options.text(option) : *value;
    }
    std::uint32_t number(std::string_view key, std::string_view option) const {
        return to_number(text(key, option), source_.options.number(option), database_.place, std::string(key),
                         source_.findings);
    }
    Milliseconds seconds(std::string_view key, std::string_view option) const {
        return to_seconds(text(key, option), source_.options.seconds(option), database_.place, std::string(key),
                          source_.findings);
    }

  private:
    const Source& source_;
    const Entry& database_;
    const Entry* user_;
};

config::PoolMode mode_of(const std::string& word, const Entry& database, Findings& findings) {
    if (word == "transaction") return config::PoolMode::transaction;
    if (word == "statement") return config::PoolMode::statement;
    if (word != "session") findings.add(Weight::broken, database.place, "pool_mode", "is no mode of PgBouncer");
    return config::PoolMode::session;
}

config::Pool pool_of(const Source& source, const Entry& database, const Entry* user) {
    const Layers layers(source, database, user);
    config::Pool pool;
    pool.mode = mode_of(layers.text("pool_mode", "pool_mode"), database, source.findings);
    pool.size = std::min(layers.number("pool_size", "default_pool_size"), largest_pool);
    if (pool.size == 0) {
        pool.size = std::clamp(source.options.number("max_client_conn"), 1U, largest_pool);
        source.findings.add(Weight::note, database.place, "pool_size",
                            "a pool without a limit gets as many servers as there may be clients");
    }
    pool.min_size = std::min(layers.number("min_pool_size", "min_pool_size"), pool.size);
    const bool has_alias = !database.has("reserve_pool_size") && database.has("reserve_pool");
    pool.reserve_size = layers.number(has_alias ? "reserve_pool" : "reserve_pool_size", "reserve_pool_size");
    pool.reserve_timeout = source.options.seconds("reserve_pool_timeout");
    if (pool.reserve_timeout == Milliseconds(0)) pool.reserve_size = 0;  // off there, at once here
    pool.query_wait_timeout = layers.seconds("query_wait_timeout", "query_wait_timeout");
    pool.idle_timeout = source.options.seconds("server_idle_timeout");
    // 0 is "at once" there and "never" here.
    pool.lifetime = std::max(layers.seconds("server_lifetime", "server_lifetime"), Milliseconds(1));
    pool.check_after_idle = std::max(source.options.seconds("server_check_delay"), Milliseconds(1));
    if (source.options.text("server_check_query").empty()) pool.check_after_idle = Milliseconds(0);
    pool.max_prepared_statements = source.options.number("max_prepared_statements");
    return pool;
}

config::ServerTls server_tls(const Source& source) {
    using enum config::ServerTlsMode;
    static const std::map<std::string, config::ServerTlsMode> modes{
        {"disable", disable}, {"allow", allow},         {"prefer", prefer},
        {"require", require}, {"verify-ca", verify_ca}, {"verify-full", verify_full}};
    const Options& options = source.options;
    const auto file = [&](std::string_view name) {
        return options.is_set(name) ? find_file(options.text(name), options.place(name).file) : std::string();
    };
    config::ServerTls tls;
    const auto found = modes.find(options.text("server_tls_sslmode"));
    if (found == modes.end()) {
        source.findings.add(Weight::broken, options.place("server_tls_sslmode"), "server_tls_sslmode",
                            "is no mode of PgBouncer; verify-full is taken");
        return tls;
    }
    tls.mode = found->second;
    // Without these modes PgBouncer looks at no certificate, and libpq's require, which ours is, would with a ca.
    if (tls.mode == verify_ca || tls.mode == verify_full) tls.ca = file("server_tls_ca_file");
    tls.certificate = file("server_tls_cert_file");
    tls.private_key = file("server_tls_key_file");
    return tls;
}

class Converter {
  public:
    Converter(const Source& source, config::Config& config)
        : source_(source), config_(config), tls_(server_tls(source)) {}

    void run() {
        auto databases = entries_of(source_, "databases", database_keys);
        // The fallback comes last: the first route that matches wins.
        std::stable_partition(databases.begin(), databases.end(), [](const Entry& e) { return !is_any(e); });
        auto users = entries_of(source_, "users", {});
        std::erase_if(users, [](const Entry& user) {
            return std::none_of(pool_keys_of_users.begin(), pool_keys_of_users.end(),
                                [&](std::string_view key) { return user.has(key); });
        });
        for (const Entry& database : databases) add_database(database, users);
        name_clusters();
    }

  private:
    void add_database(const Entry& database, const std::vector<Entry>& users) {
        const std::size_t cluster = cluster_of(database);
        const std::string* forced = database.find("user");
        if (forced == nullptr) {
            for (const Entry& user : users) add_route(database, &user, cluster, true);
            return add_route(database, nullptr, cluster, false);
        }
        // The pool's user is the same for all clients, and so are its limits.
        const auto user = std::find_if(users.begin(), users.end(), [&](const Entry& u) { return u.name == *forced; });
        add_route(database, user == users.end() ? nullptr : &*user, cluster, false);
    }

    void add_route(const Entry& database, const Entry* user, std::size_t cluster, bool is_for_user) {
        config::Route route;
        route.name = (is_any(database) ? "others" : database.name) + (is_for_user ? '/' + user->name : "");
        if (!is_any(database)) route.match.databases = {database.name};
        if (is_for_user) route.match.users = {user->name};
        route.cluster = std::to_string(cluster);
        if (const std::string name = database.text("dbname"); name != database.name) route.database = name;
        route.user = database.text("user");
        if (const std::string* password = database.find("password")) route.password = Secret(*password);
        for (const std::string_view name : {"client_encoding", "datestyle", "timezone", "application_name"}) {
            if (const std::string* value = database.find(name)) route.parameters.emplace_back(name, *value);
        }
        route.connect_query = database.text("connect_query");
        route.max_connections = to_number(database.text("max_db_client_connections", "0"), 0, database.place,
                                          "max_db_client_connections", source_.findings);
        const auto everywhere = source_.options.number("max_db_client_connections");
        if (everywhere != 0 && database.has("max_db_client_connections") &&
            (route.max_connections == 0 || route.max_connections > everywhere)) {
            source_.findings.add(Weight::note, database.place, "max_db_client_connections",
                                 "limits.connections_per_database, which is smaller, holds too");
        }
        route.pool = pool_of(source_, database, user);
        config_.routes.push_back(std::move(route));
    }

    // The index of the cluster that serves it, made where there is none yet.
    std::size_t cluster_of(const Entry& database) {
        config::Cluster cluster;
        const auto hosts = split_list(database.text("host", source_.options.text("unix_socket_dir")));
        const auto port = to_number(database.text("port", "5432"), 5432, database.place, "port", source_.findings);
        for (const std::string& host : hosts) cluster.servers.push_back({host, static_cast<std::uint16_t>(port)});
        if (hosts.empty())
            source_.findings.add(Weight::broken, database.place, "host", "there is none, and no unix_socket_dir");
        if (hosts.size() > 1 && database.text("load_balance_hosts", "round-robin") != "disable") {
            cluster.load_balance_hosts = config::LoadBalance::random;
            source_.findings.add(Weight::note, database.place, "host", "hosts are taken at random, not in turn");
        }
        cluster.tls = tls_;
        cluster.max_connections = std::min(
            Layers(source_, database, nullptr).number("max_db_connections", "max_db_connections"), largest_pool);
        if (cluster.max_connections != 0 && (hosts.size() > 1 || is_any(database))) {
            source_.findings.add(
                Weight::note, database.place, "max_db_connections",
                is_any(database) ? "holds for all databases of * together, at each server" : "holds at each server");
        }
        cluster.source.query = query_of(database);
        // A limit is a database's own.
        const Key key{cluster.servers, cluster.load_balance_hosts, cluster.max_connections == 0 ? "" : database.name,
                      cluster.source.query ? cluster.source.query->user : "",
                      cluster.source.query ? cluster.source.query->sql : ""};
        const auto [found, is_new] = clusters_.try_emplace(key, config_.clusters.size());
        if (is_new) {
            cluster.name = is_any(database) ? "others" : database.name;
            config_.clusters.push_back(std::move(cluster));
        } else if (cluster.source.query && !has_database_for_queries(database)) {
            source_.findings.add(Weight::note, database.place, "auth_query",
                                 "its users are looked up in the database " +
                                     config_.clusters[found->second].source.query->database + ", like those of " +
                                     config_.clusters[found->second].name);
        }
        return found->second;
    }

    bool has_database_for_queries(const Entry& database) const {
        return database.has("auth_dbname") || source_.options.is_set("auth_dbname");
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
            source_.findings.add(Weight::note, database.place, "auth_query",
                                 "users are looked up in the database postgres, and not in each client's");
        }
        if (const config::User* user = source_.find_user(query.user)) query.password = user->password;
        return query;
    }

    // One is "main"; several are called after their first database.
    void name_clusters() {
        if (config_.clusters.size() == 1) config_.clusters[0].name = "main";
        for (config::Route& route : config_.routes) route.cluster = config_.clusters[std::stoul(route.cluster)].name;
    }

    using Key = std::tuple<std::vector<config::Endpoint>, config::LoadBalance, std::string, std::string, std::string>;

    const Source& source_;
    config::Config& config_;
    const config::ServerTls tls_;
    std::map<Key, std::size_t> clusters_;
};

}  // namespace

void convert_databases(const Source& source, config::Config& config) {
    Converter(source, config).run();
}

}  // namespace pgsluice::importer
