// The configuration as plain, validated data: what config/pgsluice.yaml means after defaults, includes and secrets have
// been filled in. Immutable once loaded. Durations of zero mean "off"; limits of zero mean "no limit".
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/secret.hpp>
#include <pgsluice/base/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::config {

// --- TLS -------------------------------------------------------------------------------------------------------------

// Listeners: `prefer` also takes plain connections; verify_ca asks for a client certificate signed by client_ca;
// verify_full also maps the certificate's name to the user.
enum class ListenerTlsMode : std::uint8_t { disable, prefer, require, verify_ca, verify_full };
// Clusters: libpq's words for channel_binding and sslmode.
enum class ChannelBinding : std::uint8_t { disable, prefer, require };
enum class ServerTlsMode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };

struct ListenerTls {
    ListenerTlsMode mode = ListenerTlsMode::disable;
    std::string certificate, private_key, client_ca;  // paths, made absolute against the configuration file's folder
    friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

struct ServerTls {
    ServerTlsMode mode = ServerTlsMode::verify_full;
    ChannelBinding channel_binding = ChannelBinding::prefer;
    std::string ca, certificate, private_key;  // paths; an empty ca means the system's trust store
    friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

// --- Listeners and process -------------------------------------------------------------------------------------------

// Load balancers that begin their connections with a header of the PROXY protocol (version 1 or 2), and must.
struct ProxyProtocol {
    std::vector<Network> from;
    friend bool operator==(const ProxyProtocol&, const ProxyProtocol&) = default;
};

struct Listener {
    std::string address;         // an IP address; empty for a Unix socket
    std::string unix_directory;  // the folder of .s.PGSQL.<port>; empty for TCP
    std::uint16_t port = 5432;   // 0: any free port (TCP only), printed in the log
    std::uint32_t unix_mode = 0770;
    ListenerTls tls;
    ProxyProtocol proxy_protocol;
};

struct Limits {
    std::uint32_t client_connections = 10000;
    std::uint32_t connections_per_user = 0;
    std::uint32_t connections_per_database = 0;
    std::uint32_t connections_per_address = 0;
    std::uint32_t server_connections_per_user = 0;  // over all pools, by the name that servers know
    Milliseconds login_timeout{30000};
    std::uint64_t inspect_bytes = 1 << 20;
    std::uint64_t parse_inline = 16 << 10;
    std::uint64_t message_bytes = 1073741822;
};

// The four that a route or user may override stand apart: nullopt there means "as above it".
struct ClientTimeouts {
    Milliseconds query{0}, transaction{0}, idle_transaction{0}, client_idle{0};
};
struct ClientTimeoutOverrides {
    std::optional<Milliseconds> query, transaction, idle_transaction, client_idle;
};
struct Keepalive {
    Milliseconds idle{60000}, interval{10000};
    std::uint32_t count = 6;
};
struct Timeouts {
    ClientTimeouts client;
    Milliseconds connect{5000}, connect_retry{1000}, cancel{10000}, abandoned{5000}, suspend{10000}, tcp_user{30000};
    Keepalive keepalive;
};

struct Shutdown {
    Milliseconds delay{0}, timeout{60000};
};

// --- Authentication --------------------------------------------------------------------------------------------------

enum class AuthMethod : std::uint8_t { trust, reject, password, md5, scram_sha_256, cert, peer };

enum class TlsCondition : std::uint8_t { any, require, refuse };  // pg_hba.conf's host, hostssl, hostnossl

// Empty lists match everything.
struct AuthRule {
    std::vector<Network> from;
    TlsCondition tls = TlsCondition::any;
    std::vector<std::string> databases, users;  // "*" matches everything
    AuthMethod method = AuthMethod::reject;
    std::map<std::string, std::string>
        map;  // system user or certificate CN -> database user; empty: the names are equal
};

struct User {
    std::string name;
    Secret password;  // plain, "md5" + 32 hex digits, or a SCRAM-SHA-256$… verifier; empty: none
    ClientTimeoutOverrides timeouts;
    std::uint32_t max_connections = 0;         // client connections of this user; 0: limits.connections_per_user
    std::uint32_t max_server_connections = 0;  // 0: limits.server_connections_per_user
    bool from_file = false;                    // out of users_file, not out of the configuration itself
};

struct AuthQuery {
    std::string cluster, database, user;
    Secret password;
    std::string sql;
    Milliseconds cache{60000};          // how long an answer is used again
    Milliseconds negative_cache{1000};  // how long "no such user" is used again
};

// users, users_file and query; those under a cluster are asked before the global ones.
struct UserSource {
    std::vector<User> users;  // names are unique
    std::string
        users_file;  // absolute path; already read into `users` behind the inline ones, whose passwords it may hold
    std::optional<AuthQuery> query;
};

struct Auth {
    std::vector<AuthRule> rules;
    UserSource source;
};

// --- Clusters and routes ---------------------------------------------------------------------------------------------

struct Endpoint {
    std::string host;  // a name, an IP address, or a folder that holds a Unix socket (begins with '/')
    std::uint16_t port = 5432;
    // "host:port", by which the log, metrics and the console name it.
    std::string label() const { return host + ':' + std::to_string(port); }
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

enum class LoadBalance : std::uint8_t { disable, random };

struct Cluster {
    std::string name;
    std::vector<Endpoint> servers;
    LoadBalance load_balance_hosts = LoadBalance::disable;
    std::uint32_t max_connections = 0;  // per server over all pools
    std::uint32_t max_connecting = 2;   // connects in flight per server
    ServerTls tls;
    UserSource source;
};

// Other pgsluices behind the same address, to which cancel requests with their keys are sent on. This one may be listed
// too, so that all have one list.
constexpr std::uint32_t largest_peer = 31;
struct Peer {
    std::uint32_t id = 0;
    Endpoint endpoint;
};
struct Peers {
    std::uint32_t id = 0;  // this one's; 0: there are none
    std::vector<Peer> members;
    ServerTls tls;
};

enum class PoolMode : std::uint8_t { session, transaction, statement };
// preserve: what can be carried follows its client, and what cannot pins it; reject: the latter is refused; ignore: all
// of it stays on the server.
enum class SessionState : std::uint8_t { preserve, reject, ignore };
// What becomes of a server on which a setting of an extension or application has been made, whose name stays there.
// affinity: only clients that have set the name are given it; close: it is closed; share: anybody is.
enum class CustomSettings : std::uint8_t { affinity, close, share };
enum class Replication : std::uint8_t { allow, reject };
enum class TargetSessionAttrs : std::uint8_t { any, read_write, read_only, primary, standby, prefer_standby };

struct Pool {
    PoolMode mode = PoolMode::transaction;
    std::uint32_t size = 20, min_size = 0, reserve_size = 0;
    Milliseconds reserve_timeout{5000}, query_wait_timeout{30000};
    Milliseconds idle_timeout{600000}, lifetime{3600000}, check_after_idle{30000};
    std::uint32_t max_prepared_statements = 200;
    std::uint32_t max_pinned = 50;  // percent of size
    SessionState session_state = SessionState::preserve;
    CustomSettings custom_settings = CustomSettings::share;
    bool check_at_release = false;
    bool lazy_begin = true;

    // What clients set is known, and goes with them from server to server.
    bool follows_state() const { return mode != PoolMode::session && session_state != SessionState::ignore; }
    friend bool operator==(const Pool&, const Pool&) = default;
};

// Empty lists match everything; "*" in a list too.
struct RouteMatch {
    std::vector<std::string> databases, users, applications, sni;
    std::vector<Network> from;
};

// Which queries are written to the log, and what of them to any log.
struct QueryLog {
    Milliseconds slow_query{0};       // those that take as long, the wait for a server included; 0: none
    std::uint32_t sample_one_in = 0;  // besides, one in so many; 0: none
    bool literals = false;            // texts stand there with their constants, save those that may hold a password
    bool audit = false;               // each one is written to the audit log

    bool is_on() const { return slow_query.count() > 0 || sample_one_in > 0 || audit; }
};

struct Route {
    std::string name;
    RouteMatch match;
    std::string cluster;
    std::string database, user;      // empty: the client's
    std::optional<Secret> password;  // nullopt: from users, else SCRAM pass-through
    TargetSessionAttrs target_session_attrs = TargetSessionAttrs::any;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string connect_query;
    bool parameters_filled_in = false, connect_query_filled_in = false;  // from ${...}: they may hold secrets
    Pool pool;
    ClientTimeoutOverrides timeouts;
    QueryLog log;
    std::uint32_t max_connections = 0;  // client connections on this route
    Replication replication = Replication::allow;
};

// --- Policies --------------------------------------------------------------------------------------------------------

enum class PolicyAction : std::uint8_t { allow, block, log, rewrite, limit };
constexpr std::string_view name_of(PolicyAction action) {
    constexpr std::string_view names[] = {"allow", "block", "log", "rewrite", "limit"};
    return names[static_cast<std::size_t>(action)];
}
enum class PolicyMode : std::uint8_t { enforce, shadow };
constexpr std::string_view name_of(PolicyMode mode) {
    return mode == PolicyMode::enforce ? "enforce" : "shadow";
}

enum class OnUnparsable : std::uint8_t { block, allow };

// What is left out matches everything.
struct PolicyCondition {
    std::string pattern{};  // RE2, searched anywhere in the text
    std::vector<std::string> routes{}, databases{}, users{}, applications{};
    std::vector<Network> from{};
    std::vector<std::string> statements{};                 // command tags, and words for several of them
    std::vector<std::string> tables{}, reads{}, writes{};  // "name" or "schema.name", with * and ?
    std::vector<std::string> functions{};                  // likewise
    std::vector<std::string> columns{};                    // "name" or "table.name", with * and ?
    std::vector<std::string> fingerprints{};               // libpg_query's, 16 hexadecimal digits
    std::map<std::string, std::string> tags{};             // of the text's comment (sqlcommenter); values with * and ?
    bool without_where = false, without_limit = false;
    std::optional<bool> in_transaction{};

    friend bool operator==(const PolicyCondition&, const PolicyCondition&) = default;
};

// What `action: rewrite` makes of the text: by a regular expression first, then on the tree.
struct PolicyRewrite {
    std::string pattern, replacement;            // RE2, everywhere in the text; \1 is the first group
    std::map<std::string, std::string> tables;   // "table" or "schema.table" -> what stands there instead
    std::map<std::string, std::string> schemas;  // likewise, of schemas
    std::uint64_t limit = 0;                     // rows; of a query without a LIMIT of its own; 0: none

    friend bool operator==(const PolicyRewrite&, const PolicyRewrite&) = default;
};

enum class LimitPer : std::uint8_t { rule, user, application, fingerprint };
enum class LimitExcess : std::uint8_t { refuse, queue };

// What `action: limit` lets a statement take. 0: no limit.
struct PolicyLimit {
    Milliseconds max_duration{0};               // on the server
    std::uint64_t max_rows = 0, max_bytes = 0;  // of its result
    std::uint32_t concurrency = 0, rate = 0;    // statements at a time, and a second
    LimitPer per = LimitPer::rule;              // what these two count by
    LimitExcess excess = LimitExcess::refuse;   // what becomes of a statement beyond them

    bool is_any() const { return max_duration.count() > 0 || (max_rows | max_bytes | concurrency | rate) > 0; }
    friend bool operator==(const PolicyLimit&, const PolicyLimit&) = default;
};

struct Policy {
    std::string name;
    PolicyCondition when;
    PolicyRewrite rewrite;
    PolicyLimit limit;
    PolicyAction action = PolicyAction::block;
    std::string sqlstate = "42501";
    std::string message;  // empty: "blocked by policy \"NAME\""
    std::string hint;
    PolicyMode mode = PolicyMode::enforce;
    std::uint32_t sample_one_in = 1;  // of `action: log`: one statement in so many is written to the log

    friend bool operator==(const Policy&, const Policy&) = default;
};

// --- Log, admin, metrics ---------------------------------------------------------------------------------------------

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::string file;  // empty: standard error
    bool connections = true, disconnections = true, pool_errors = true;
};

// What becomes of a line that finds the queue full: lost and counted, or whoever has it waits.
enum class AuditOverflow : std::uint8_t { drop, block };

// The audit log: JSON lines about who did what, in a file of its own.
struct Audit {
    std::string file;  // empty: there is none
    AuditOverflow on_overflow = AuditOverflow::drop;
};

// Both, or neither for plain HTTP.
struct HttpTls {
    std::string certificate, private_key;  // paths
    bool is_on() const { return !certificate.empty(); }
};

struct AdminHttp {
    std::string address = "127.0.0.1";  // empty: not over TCP
    std::uint16_t port = 9930;          // 0: any free port
    std::string unix_path;              // of a Unix socket; empty: none
    std::uint32_t unix_mode = 0700;
    HttpTls tls;   // of what comes over TCP
    Secret token;  // what /api/ asks of those who come over TCP; empty: nobody is answered there
    bool is_on() const { return !address.empty() || !unix_path.empty(); }
};

// A database of our own, which answers the commands of PgBouncer's; also by the name "pgbouncer". It is there where
// anybody may use it.
struct AdminConsole {
    std::string database = "pgsluice";
    std::vector<std::string> users;        // may do everything
    std::vector<std::string> stats_users;  // may look
    // The folder of a Unix socket that leads there alone, for root and the process' own account, who may do everything;
    // empty: none.
    static constexpr const char* automatic = "auto";  // below the runtime directory that systemd gives; without it none
    std::string unix_directory = automatic;
    bool is_on() const { return !users.empty() || !stats_users.empty(); }
    bool answers(const std::string& name) const { return is_on() && (name == database || name == "pgbouncer"); }
};

enum class SecretFiles : std::uint8_t { warn, enforce };

struct Config {
    std::vector<Listener> listeners;
    std::uint32_t workers = 0;  // 0: auto
    Limits limits;
    Timeouts timeouts;
    Shutdown shutdown;
    bool reload_watch = false;
    Auth auth;
    std::vector<Cluster> clusters;
    std::vector<Route> routes;
    std::vector<Policy> policies;
    OnUnparsable on_unparsable = OnUnparsable::block;  // policy_defaults
    Log log;
    Audit audit;
    AdminHttp admin_http;
    AdminConsole console;
    std::uint32_t metrics_max_series = 1000;
    std::uint32_t insight_max_queries = 0;  // that each worker keeps statistics of; 0: off
    SecretFiles secret_files = SecretFiles::warn;
    Peers peers;

    std::string path;  // the file it was read from
    std::vector<std::string>
        files;  // every file that it depends on: includes, users files, secrets, certificates and keys
    std::uint32_t loose_secret_files = 0;  // secret files readable by others
};

}  // namespace pgsluice::config
