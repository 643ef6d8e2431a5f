// The process as a whole: limits, timeouts, shutdown, log, audit, admin.
#include "codecs.hpp"
#include "schemas.hpp"

#include <pgsluice/config/ranges.hpp>

namespace pgsluice::config {
namespace {

constexpr std::uint64_t kibibyte = 1 << 10;

const Schema<Keepalive>& keepalive_schema() {
    using T = Keepalive;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("idle", &T::idle, Duration{1s, longest_keepalive}, new_connections),
        key<T>("interval", &T::interval, Duration{1s, longest_keepalive, false}, new_connections),
        key<T>("count", &T::count, Number{1, most_keepalive_probes}, new_connections),
    };
    return schema;
}

const Schema<HttpTls>& http_tls_schema() {
    using T = HttpTls;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("certificate", &T::certificate, Path{Path::Is::readable}, new_connections),
        key<T>("private_key", &T::private_key, Path{Path::Is::secret}, new_connections),
    };
    return schema;
}

// "HOST:PORT", "" for none, or a map.
struct HttpEndpoint {
    static const Schema<AdminHttp>& schema() {
        using T = AdminHttp;
        using enum Changes;
        static const Schema<T> schema{
            key<T>("address", &T::address, IpAddress{}, restart),
            key<T>("port", &T::port, Number{0, 65535, "any free port"}, restart),
            key<T>("unix", &T::unix_path, Path{}, restart),
            key<T>("mode", &T::unix_mode, FileMode{}, restart),
            section<T>("tls", &T::tls, Object<HttpTls>{http_tls_schema}),
            key<T>("token", &T::token, Password{}, live),
        };
        return schema;
    }

    void read(Reader& reader, const Node& node, AdminHttp& out) const {
        if (!node.is(Node::Kind::scalar)) return read_map(reader, node, schema(), out);
        if (node.text.empty()) return out.address.clear();
        const auto colon = node.text.rfind(':');
        std::string host = node.text.substr(0, colon);
        const auto port = parse_number(colon == std::string::npos ? "" : std::string_view(node.text).substr(colon + 1));
        const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
        if (in_brackets) host = host.substr(1, host.size() - 2);
        const auto address = Address::parse(host);
        const bool is_ipv6 = host.find(':') != std::string::npos;
        if (!address || in_brackets != is_ipv6 || !port || *port > 65535) {
            return reader.problem(node, shown(node) +
                                            " is not ADDRESS:PORT; allowed is an address and a port such as "
                                            "127.0.0.1:9930 or [::1]:9930, or \"\" for no endpoint");
        }
        out.address = host;
        out.port = static_cast<std::uint16_t>(*port);
    }
    Node print(const AdminHttp& value) const { return print_map(schema(), value); }
    void change(Change& change, AdminHttp& out) const { change_map(change, schema(), out); }
    void keep(const AdminHttp& in_force, AdminHttp& read, const std::string& path,
              std::vector<std::string>& waiting) const {
        keep_map(schema(), in_force, read, path, waiting);
    }
    void list(const std::string& path, std::vector<KeyInfo>& keys) const { Object<AdminHttp>{schema}.list(path, keys); }
};

}  // namespace

const Schema<Limits>& limits_schema() {
    using T = Limits;
    using enum Changes;
    const Number connections{0, most_connections, "no limit"};
    static const Schema<T> schema{
        key<T>("client_connections", &T::client_connections, Number{1, most_connections}, new_connections),
        key<T>("connections_per_user", &T::connections_per_user, connections, new_connections),
        key<T>("connections_per_database", &T::connections_per_database, connections, new_connections),
        key<T>("connections_per_address", &T::connections_per_address, connections, new_connections),
        key<T>("server_connections_per_user", &T::server_connections_per_user, connections, new_connections),
        key<T>("login_timeout", &T::login_timeout, Duration{}, new_connections),
        key<T>("inspect_bytes", &T::inspect_bytes, Size{shortest_message_limit, longest_message_limit}, live),
        key<T>("parse_inline", &T::parse_inline, Size{kibibyte, 64 * kibibyte}, live),
        key<T>("message_bytes", &T::message_bytes, Size{shortest_message_limit, longest_message_limit}, live),
    };
    return schema;
}

const Schema<Timeouts>& timeouts_schema() {
    using T = Timeouts;
    using enum Changes;
    static const Schema<T> schema{
        key<T>(
            "query", [](auto& t) -> auto& { return t.client.query; }, Duration{}, live),
        key<T>(
            "transaction", [](auto& t) -> auto& { return t.client.transaction; }, Duration{}, live),
        key<T>(
            "idle_transaction", [](auto& t) -> auto& { return t.client.idle_transaction; }, Duration{}, live),
        key<T>(
            "client_idle", [](auto& t) -> auto& { return t.client.client_idle; }, Duration{}, live),
        key<T>("connect", &T::connect, Duration{}, new_connections),
        key<T>("connect_retry", &T::connect_retry, Duration{}, new_connections),
        key<T>("cancel", &T::cancel, Duration{}, new_connections),
        key<T>("abandoned", &T::abandoned, Duration{}, live),
        key<T>("suspend", &T::suspend, Duration{}, live),
        key<T>("tcp_user", &T::tcp_user, Duration{1ms, longest_unacknowledged}, new_connections),
        section<T>("keepalive", &T::keepalive, Object<Keepalive>{keepalive_schema}),
    };
    return schema;
}

const Schema<ClientTimeoutOverrides>& timeout_overrides_schema() {
    using T = ClientTimeoutOverrides;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("query", &T::query, DurationOverride{}, live),
        key<T>("transaction", &T::transaction, DurationOverride{}, live),
        key<T>("idle_transaction", &T::idle_transaction, DurationOverride{}, live),
        key<T>("client_idle", &T::client_idle, DurationOverride{}, live),
    };
    return schema;
}

const Schema<Shutdown>& shutdown_schema() {
    using T = Shutdown;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("delay", &T::delay, Duration{}, live),
        key<T>("timeout", &T::timeout, Duration{}, live),
    };
    return schema;
}

const Schema<Log>& log_schema() {
    using T = Log;
    using enum Changes;
    const Words<LogLevel> levels{{{"debug", LogLevel::debug},
                                  {"info", LogLevel::info},
                                  {"warning", LogLevel::warning},
                                  {"error", LogLevel::error}}};
    const Words<LogFormat> formats{{{"text", LogFormat::text}, {"json", LogFormat::json}}};
    static const Schema<T> schema{
        key<T>("level", &T::level, levels, live).settable(),
        key<T>("format", &T::format, formats, live).settable(),
        key<T>("file", &T::file, Path{}, live),
        key<T>("connections", &T::connections, Boolean{}, live).settable(),
        key<T>("disconnections", &T::disconnections, Boolean{}, live).settable(),
        key<T>("pool_errors", &T::pool_errors, Boolean{}, live).settable(),
    };
    return schema;
}

const Schema<Audit>& audit_schema() {
    using T = Audit;
    using enum Changes;
    const Words<AuditOverflow> overflows{{{"drop", AuditOverflow::drop}, {"block", AuditOverflow::block}}};
    static const Schema<T> schema{
        key<T>("file", &T::file, Path{Path::Is::written}, live),
        key<T>("on_overflow", &T::on_overflow, overflows, live),
    };
    return schema;
}

namespace {

const Schema<AdminConsole>& console_schema() {
    using T = AdminConsole;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("database", &T::database, Text{false}, live),
        key<T>("users", &T::users, ListOf<Text>{{false}}, live),
        key<T>("stats_users", &T::stats_users, ListOf<Text>{{false}}, live),
        key<T>("unix", &T::unix_directory, PathOr{T::automatic}, restart),
    };
    return schema;
}

}  // namespace

const Schema<Config>& admin_schema() {
    using T = Config;
    static const Schema<T> schema{
        section<T>("http", &T::admin_http, HttpEndpoint{}),
        section<T>("console", &T::console, Object<AdminConsole>{console_schema}),
    };
    return schema;
}

}  // namespace pgsluice::config
