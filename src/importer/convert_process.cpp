// Listeners, limits, timeouts, log and console.
#include "convert.hpp"

#include <pgsluice/config/ranges.hpp>

#include <algorithm>
#include <charconv>

namespace pgsluice::importer {
namespace {

// secure is TLS 1.2 and up, as pgsluice has it.
void judge_protocols(const Source& source, std::string_view name) {
    const std::string value = source.options.text(name);
    const auto words = split_list(value);
    const auto has = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
    if (value == "secure" || (has("tlsv1.2") && !has("tlsv1.0") && !has("tlsv1.1"))) return;
    if (has("tlsv1.3") && words.size() == 1) {
        source.findings.add(Weight::less_safe, source.options.place(name), std::string(name),
                            "TLS 1.2 is spoken too; the system's OpenSSL configuration can forbid it");
    } else {
        source.findings.add(Weight::note, source.options.place(name), std::string(name),
                            "TLS 1.2 and 1.3 are spoken, and nothing older");
    }
}

config::ListenerTls listener_tls(const Source& source) {
    using enum config::ListenerTlsMode;
    const Options& options = source.options;
    const std::string mode = options.word("client_tls_sslmode");
    config::ListenerTls tls;
    if (mode == "disable") return tls;
    if (mode == "allow" || mode == "prefer") {
        tls.mode = prefer;
    } else if (mode == "verify-ca" || mode == "verify-full") {
        tls.mode = verify_ca;  // PgBouncer's verify-full compares no names either
    } else {
        tls.mode = require;
        if (mode != "require")
            source.findings.add(Weight::broken, options.place("client_tls_sslmode"), "client_tls_sslmode",
                                "is no mode of PgBouncer; require is taken");
    }
    tls.certificate = options.file("client_tls_cert_file");
    tls.private_key = options.file("client_tls_key_file");
    if (tls.mode == verify_ca) tls.client_ca = options.file("client_tls_ca_file");
    if (tls.certificate.empty() || tls.private_key.empty() || (tls.mode == verify_ca && tls.client_ca.empty()))
        source.findings.add(Weight::broken, options.place("client_tls_sslmode"), "client_tls_sslmode",
                            "needs client_tls_cert_file and client_tls_key_file, and to verify client_tls_ca_file");
    judge_protocols(source, "client_tls_protocols");
    return tls;
}

// Each once: PgBouncer warns of one that it has bound already, and goes on.
std::vector<std::string> addresses_of(const Source& source) {
    std::vector<std::string> out;
    const auto has = [&](const std::string& address) {
        return std::any_of(out.begin(), out.end(), [wanted = Address::parse(address)](const std::string& other) {
            return Address::parse(other) == wanted;
        });
    };
    const auto add = [&](const std::string& address) {
        if (!has(address)) out.push_back(address);
    };
    bool has_localhost = false;
    for (const std::string& name : split_list(source.options.text("listen_addr"))) {
        if (name == "*") {
            add("0.0.0.0");
            add("::");
        } else if (name == "localhost") {
            add("127.0.0.1");
            has_localhost = true;
        } else if (Address::parse(name)) {
            add(name);
        } else {
            source.findings.add(Weight::not_done, source.options.place("listen_addr"), "listen_addr",
                                "listeners have an IP address, and no name such as " + name);
        }
    }
    if (has_localhost && !has("::1") && !has("::"))
        source.findings.add(
            Weight::note, source.options.place("listen_addr"), "listen_addr",
            "localhost is 127.0.0.1; where PgBouncer listens on ::1 too, as the hosts file may have it, "
            "name that as well");
    return out;
}

void convert_listeners(const Source& source, config::Config& config) {
    const Options& options = source.options;
    config::Listener listener;
    const std::uint32_t port = options.number("listen_port");
    if (port < 1 || port > 65535)
        source.findings.add(Weight::broken, options.place("listen_port"), "listen_port", "must be from 1 to 65535");
    listener.port = static_cast<std::uint16_t>(std::clamp(port, 1U, 65535U));
    listener.tls = listener_tls(source);
    for (const std::string& address : addresses_of(source)) {
        config.listeners.push_back(listener);
        config.listeners.back().address = address;
    }
    const std::string folder = options.text("unix_socket_dir");
    if (folder.starts_with('@')) {
        source.findings.add(Weight::not_done, options.place("unix_socket_dir"), "unix_socket_dir",
                            "there are no abstract sockets; a folder is needed");
    } else if (!folder.empty()) {
        listener.tls = {};
        listener.unix_directory = folder;
        const std::string mode = options.text("unix_socket_mode");
        const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), listener.unix_mode, 8);
        if (error != std::errc() || end != mode.data() + mode.size() || listener.unix_mode > 0777) {
            listener.unix_mode = 0700;
            source.findings.add(Weight::broken, options.place("unix_socket_mode"), "unix_socket_mode",
                                "must be an octal number up to 0777; 0700 is taken");
        }
        config.listeners.push_back(listener);
        source.findings.add(Weight::note, options.place("unix_socket_dir"), "unix_socket_dir",
                            "the pooler's own account is not let into the console without a password here, as user "
                            "pgbouncer; the service has a socket for that, /run/pgsluice/console");
        if (!folder.starts_with("/run/pgsluice"))
            source.findings.add(Weight::note, options.place("unix_socket_dir"), "unix_socket_dir",
                                "the packaged service may write in /run/pgsluice only; ReadWritePaths= in a drop-in "
                                "gives it another folder");
    }
    if (config.listeners.empty())
        source.findings.add(Weight::broken, options.place("listen_addr"), "listen_addr", "nothing is listened on");
}

void convert_limits(const Source& source, config::Config& config) {
    const Options& options = source.options;
    auto& limits = config.limits;
    limits.client_connections = source.number_within("max_client_conn", 1, config::most_connections);
    limits.connections_per_user = source.number_within("max_user_client_connections", 0, config::most_connections);
    limits.connections_per_database = source.number_within("max_db_client_connections", 0, config::most_connections);
    limits.server_connections_per_user = source.number_within("max_user_connections", 0, config::most_connections);
    limits.login_timeout = options.seconds("client_login_timeout");
    const std::uint64_t longest = options.number("max_packet_size");
    limits.message_bytes = std::clamp(longest, config::shortest_message_limit, config::longest_message_limit);
    if (longest < config::shortest_message_limit)
        source.findings.add(Weight::note, options.place("max_packet_size"), "max_packet_size",
                            "becomes 16KiB, the least that limits.message_bytes can be");
}

void convert_timeouts(const Source& source, config::Config& config) {
    const Options& options = source.options;
    auto& timeouts = config.timeouts;
    timeouts.client = {options.seconds("query_timeout"), options.seconds("transaction_timeout"),
                       options.seconds("idle_transaction_timeout"), options.seconds("client_idle_timeout")};
    timeouts.connect = options.seconds("server_connect_timeout");
    timeouts.connect_retry = options.seconds("server_login_retry");
    timeouts.cancel = options.seconds("cancel_wait_timeout");
    // Zero closes at once there, and waits for ever here.
    timeouts.suspend = std::max(options.seconds("suspend_timeout"), Milliseconds(1));
    if (options.is_set("tcp_user_timeout"))
        timeouts.tcp_user =
            source.at_most(Milliseconds(options.number("tcp_user_timeout")), config::longest_unacknowledged,
                           options.place("tcp_user_timeout"), "tcp_user_timeout");
    // Where PgBouncer has no value of its own the system's hold, two hours; ours are for finding a dead peer in
    // minutes.
    auto& keepalive = timeouts.keepalive;
    const auto longest = [&](std::string_view option) {
        return source.at_most(options.seconds(option), config::longest_keepalive, options.place(option), option);
    };
    if (!options.flag("tcp_keepalive"))
        keepalive.idle = Milliseconds(0);
    else if (options.number("tcp_keepidle") != 0)
        keepalive.idle = longest("tcp_keepidle");
    if (options.number("tcp_keepintvl") != 0) keepalive.interval = longest("tcp_keepintvl");
    if (options.number("tcp_keepcnt") != 0)
        keepalive.count = source.number_within("tcp_keepcnt", 0, config::most_keepalive_probes);
}

}  // namespace

void convert_process(const Source& source, config::Config& config) {
    const Options& options = source.options;
    convert_listeners(source, config);
    judge_protocols(source, "server_tls_protocols");
    convert_limits(source, config);
    convert_timeouts(source, config);
    config.log.connections = options.flag("log_connections");
    config.log.disconnections = options.flag("log_disconnections");
    config.log.pool_errors = options.flag("log_pooler_errors");
    if (options.number("verbose") > 0) config.log.level = config::LogLevel::debug;
    config.console.users = split_list(options.text("admin_users"));
    config.console.stats_users = split_list(options.text("stats_users"));
}

void convert_peers(const Source& source, config::Config& config) {
    const auto own = source.options.number("peer_id");
    const auto in_range = [](std::uint32_t id) { return id >= 1 && id <= config::largest_peer; };
    const auto out_of_range = [&](const Place& place, const std::string& option) {
        source.findings.add(Weight::not_done, place, option,
                            "peers have numbers from 1 to " + std::to_string(config::largest_peer) +
                                ": a cancel request that comes to another process is lost");
    };
    if (own == 0) return;
    if (!in_range(own)) return out_of_range(source.options.place("peer_id"), "peer_id");
    config.peers.id = own;
    for (const Entry& entry : entries_of(source, "peers", {"host", "port", "pool_size"})) {
        const std::uint32_t id = to_number(entry.name).value_or(0);
        if (!in_range(id)) {
            out_of_range(entry.place, "[peers] " + entry.name);
            continue;
        }
        if (!entry.has("host"))
            source.findings.add(Weight::broken, entry.place, "[peers] " + entry.name, "has no host");
        config.peers.members.push_back(
            {id, {entry.text("host"), source.port(entry.text("port", "6432"), 6432, entry)}});
    }
    const std::string mode = source.options.word("client_tls_sslmode");
    const bool speaks_tls = mode != "disable";
    config.peers.tls.mode = speaks_tls ? config::ServerTlsMode::require : config::ServerTlsMode::disable;
}

}  // namespace pgsluice::importer
