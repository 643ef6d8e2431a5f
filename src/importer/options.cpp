#include "options.hpp"

#include "files.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace pgsluice::importer {
namespace {

struct Known {
    std::string_view name;
    std::string_view standard;  // PgBouncer's default
    // What is lost where the value is another one; empty: carried over, or nothing that anybody could notice.
    std::string_view loss = {};
    Weight weight = Weight::note;
};

constexpr Weight less_safe = Weight::less_safe;
constexpr std::string_view by_service = "left to the service manager";
constexpr std::string_view to_stderr =
    "the log goes to standard error, which the service manager keeps; log.file would name a file";
constexpr std::string_view by_system = "names are looked up by the system's resolver, at every new connection";
constexpr std::string_view ciphers = "the system's OpenSSL configuration chooses them here";

// In the order of PgBouncer's documentation.
constexpr Known known[] = {
    {"logfile", "", to_stderr},  // of its own, since both may run side by side
    {"pidfile", "", by_service},
    {"listen_addr", ""},
    {"listen_port", "6432"},
    {"unix_socket_dir", "/tmp"},
    {"unix_socket_mode", "0777"},
    {"unix_socket_group", "", "the socket's group is that of the process; the service's Group= chooses it"},
    {"user", "", by_service},
    {"pool_mode", "session"},
    {"max_client_conn", "100"},
    {"default_pool_size", "20"},
    {"min_pool_size", "0"},
    {"reserve_pool_size", "0"},
    {"reserve_pool_timeout", "5"},
    {"max_db_connections", "0"},
    {"max_user_connections", "0"},
    {"max_db_client_connections", "0"},
    {"max_user_client_connections", "0"},
    {"server_round_robin", "0", "the server that came back last is used first, so that the others may be closed"},
    {"track_extra_parameters", "IntervalStyle"},  // every setting is carried
    {"ignore_startup_parameters", ""},            // told by themselves: every parameter is accepted and carried
    {"disable_pqexec", "0", "simple queries are not refused; a rule under policies can refuse what they contain",
     less_safe},
    {"application_name_add_host", "0",
     "the client's address is not added to application_name; SHOW CLIENTS and the log have it"},
    {"conffile", ""},
    {"service_name", ""},
    {"job_name", ""},
    {"stats_period", "60"},
    {"max_prepared_statements", "200"},
    {"scram_iterations", "4096"},
    {"login_notify_message", "", "clients get no notice at login"},
    {"auth_type", "md5"},
    {"auth_hba_file", ""},
    {"auth_ident_file", ""},
    {"auth_file", ""},
    {"auth_user", ""},
    {"auth_query",
     "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid WHERE rolname=$1 "
     "AND rolcanlogin"},
    {"auth_dbname", ""},
    {"auth_ldap_options", ""},  // told with auth_type
    {"syslog", "0", to_stderr},
    {"syslog_ident", ""},
    {"syslog_facility", ""},
    {"log_connections", "1"},
    {"log_disconnections", "1"},
    {"log_pooler_errors", "1"},
    {"log_stats", "1"},
    {"verbose", "0"},
    {"admin_users", ""},
    {"stats_users", ""},
    {"server_reset_query", "DISCARD ALL",
     "in session mode it is always DISCARD ALL; in the others, session_state: preserve gives each client its own "
     "state"},
    {"server_reset_query_always", "0",
     "in transaction and statement mode nothing resets a server between two transactions; what functions leave there "
     "is seen with pool.check_at_release",
     less_safe},
    {"server_check_delay", "30"},
    {"server_check_query", "<empty>", "the check is an empty query"},
    {"server_fast_close", "0", "a reload closes server connections whose settings changed when their transaction ends"},
    {"server_lifetime", "3600"},
    {"server_idle_timeout", "600"},
    {"server_connect_timeout", "15"},
    {"server_login_retry", "15"},
    {"client_login_timeout", "60"},
    {"autodb_idle_timeout", "3600"},
    {"pool_idle_timeout", "0"},
    {"dns_max_ttl", "15"},
    {"dns_nxdomain_ttl", "15"},
    {"dns_zone_check_period", "0", by_system},
    {"resolv_conf", "", by_system},
    {"client_tls_sslmode", "disable"},
    {"client_tls_key_file", ""},
    {"client_tls_cert_file", ""},
    {"client_tls_ca_file", ""},
    {"client_tls_protocols", "secure"},
    {"client_tls_ciphers", "default", ciphers, less_safe},
    {"client_tls13_ciphers", "", ciphers, less_safe},
    {"client_tls_ecdhcurve", "auto", ciphers},
    {"client_tls_dheparams", "auto", ciphers},
    {"server_tls_sslmode", "prefer"},
    {"server_tls_ca_file", ""},
    {"server_tls_key_file", ""},
    {"server_tls_cert_file", ""},
    {"server_tls_protocols", "secure"},
    {"server_tls_ciphers", "default", ciphers, less_safe},
    {"server_tls13_ciphers", "", ciphers, less_safe},
    {"query_timeout", "0"},
    {"query_wait_timeout", "120"},
    {"query_wait_notify", "5", "a client that waits for a server is told so after 5 s"},
    {"cancel_wait_timeout", "10"},
    {"client_idle_timeout", "0"},
    {"idle_transaction_timeout", "0"},
    {"transaction_timeout", "0"},
    {"suspend_timeout", "10"},
    {"pkt_buf", "4096"},
    {"max_packet_size", "2147483647"},
    {"listen_backlog", "128"},
    {"sbuf_loopcnt", "5"},
    {"so_reuseport", "0", "several processes on one port become workers: the threads of one process"},
    {"tcp_defer_accept", ""},
    {"tcp_socket_buffer", "0"},
    {"tcp_keepalive", "1"},
    {"tcp_keepcnt", "0"},
    {"tcp_keepidle", "0"},
    {"tcp_keepintvl", "0"},
    {"tcp_user_timeout", "0"},
    {"peer_id", "0"},
};

const Known* find_known(std::string_view name) {
    const auto* found =
        std::find_if(std::begin(known), std::end(known), [&](const Known& k) { return k.name == name; });
    return found == std::end(known) ? nullptr : found;
}

bool is_standard(const Known& option, std::string_view value) {
    if (option.standard == value) return true;
    // Old names of cipher lists, and old defaults of the check.
    if (option.standard == "default") return value.empty() || value == "secure" || value == "normal" || value == "fast";
    return option.standard == "<empty>" && (value.empty() || lower_case(value) == "select 1");
}

constexpr double seconds_of_a_year = 365.0 * 24 * 3600;

std::optional<double> to_fraction(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
    return value;
}

// Parameters that PgBouncer carries whatever ignore_startup_parameters says, and one that drivers send and no
// application notices.
constexpr std::string_view carried_or_harmless[] = {
    "client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name", "extra_float_digits",
};

bool is_numeric(const Known& option) {
    return !option.standard.empty() && option.standard.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Options::Options(std::string file, const std::vector<Setting>& settings, Findings& findings)
    : file_(std::move(file)), findings_(findings) {
    std::copy_if(settings.begin(), settings.end(), std::back_inserter(settings_),
                 [](const Setting& setting) { return setting.section == "pgbouncer"; });
    for (const Setting& setting : settings_) judge(setting);
}

void Options::judge(const Setting& setting) {
    const Known* option = find_known(setting.key);
    if (option == nullptr) {
        findings_.add(Weight::broken, setting.place, setting.key,
                      "is no option of PgBouncer up to 1.25, which would not start with it");
    } else if (is_numeric(*option) && !setting.value.empty() && !to_seconds(setting.value) &&
               !to_number(setting.value)) {
        findings_.add(Weight::broken, setting.place, setting.key, "must be a number");
    } else if (!option->loss.empty() && !is_standard(*option, setting.value)) {
        findings_.add(option->weight, setting.place, setting.key, std::string(option->loss));
    } else if (setting.key == "ignore_startup_parameters") {
        judge_ignored_parameters(setting);
    }
}

// Behind PgBouncer clients that send them have worked with the servers' values.
void Options::judge_ignored_parameters(const Setting& setting) {
    const std::vector<std::string> tracked = split_list(lower_case(text("track_extra_parameters")));
    std::string applied;
    for (const std::string& name : split_list(setting.value)) {
        const std::string lower = lower_case(name);
        const auto is_it = [&](std::string_view each) { return each == lower; };
        if (std::any_of(std::begin(carried_or_harmless), std::end(carried_or_harmless), is_it)) continue;
        if (std::any_of(tracked.begin(), tracked.end(), is_it)) continue;
        applied += (applied.empty() ? "" : ", ") + name;
    }
    if (applied.empty()) return;
    findings_.add(Weight::note, setting.place, setting.key,
                  applied +
                      ": applied here, not ignored, so that clients which send it leave the server's own value; "
                      "take it out of what they connect with where that value is to hold");
}

const Setting* Options::find(std::string_view name) const {
    const auto found =
        std::find_if(settings_.begin(), settings_.end(), [&](const Setting& setting) { return setting.key == name; });
    return found == settings_.end() ? nullptr : &*found;
}

std::string Options::text(std::string_view name) const {
    if (const Setting* setting = find(name)) return setting->value;
    const Known* option = find_known(name);
    PGSLUICE_CHECK(option != nullptr);
    return std::string(option->standard);
}

std::string Options::word(std::string_view name) const {
    return lower_case(text(name));
}

std::uint32_t Options::number(std::string_view name) const {
    return to_number(text(name)).value_or(to_number(std::string(find_known(name)->standard)).value_or(0));
}

Milliseconds Options::seconds(std::string_view name) const {
    if (is_longer_than_a_year(text(name)))
        findings_.add(Weight::note, place(name), std::string(name), becomes_most(std::chrono::hours(24 * 365)));
    return to_seconds(text(name))
        .value_or(to_seconds(std::string(find_known(name)->standard)).value_or(Milliseconds(0)));
}

std::string Options::file(std::string_view name) const {
    return is_set(name) ? find_file(text(name), place(name).file) : std::string();
}

bool Options::is_set(std::string_view name) const {
    const Setting* setting = find(name);
    return setting != nullptr && !setting->value.empty();
}

Place Options::place(std::string_view name) const {
    const Setting* setting = find(name);
    return setting == nullptr ? Place{file_, 0} : setting->place;
}

std::optional<std::uint32_t> to_number(const std::string& text) {
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    char* end = nullptr;
    errno = 0;
    const unsigned long long value = std::strtoull(text.c_str(), &end, 0);
    if (errno != 0 || *end != '\0' || value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(value);
}

std::optional<Milliseconds> to_seconds(const std::string& text) {
    const auto value = to_fraction(text);
    if (!value) return std::nullopt;
    return Milliseconds(static_cast<Milliseconds::rep>(std::ceil(std::min(*value, seconds_of_a_year) * 1000)));
}

bool is_longer_than_a_year(const std::string& seconds) {
    return to_fraction(seconds).value_or(0) > seconds_of_a_year;
}

std::string becomes_most(Milliseconds nearest) {
    constexpr Milliseconds day = std::chrono::hours(24);
    const bool is_in_days = nearest % day == Milliseconds(0);
    return "becomes " +
           (is_in_days ? std::to_string(nearest / day) + 'd' : std::to_string(nearest.count() / 1000) + 's') +
           ", the most that it can be here";
}

}  // namespace pgsluice::importer
