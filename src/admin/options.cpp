#include "options.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::admin {
namespace {

// What drivers, psql and pools of connections send without being asked.
constexpr std::array borne{"application_name",
                           "bytea_output",
                           "client_encoding",
                           "client_min_messages",
                           "datestyle",
                           "default_transaction_isolation",
                           "default_transaction_read_only",
                           "extra_float_digits",
                           "idle_in_transaction_session_timeout",
                           "idle_session_timeout",
                           "intervalstyle",
                           "local",  // SET LOCAL ...
                           "lock_timeout",
                           "names",  // SET NAMES ...
                           "search_path",
                           "session",  // SET SESSION ...
                           "standard_conforming_strings",
                           "statement_timeout",
                           "time",  // SET TIME ZONE ...
                           "timezone",
                           "transaction",
                           "transaction_isolation",
                           "transaction_read_only"};

enum class Unit : std::uint8_t { seconds, milliseconds, number, boolean, verbosity };

struct Option {
    std::string_view name, key;
    Unit unit;
};
// PgBouncer's, and the key that means the same.
constexpr std::array options{
    Option{"cancel_wait_timeout", "timeouts.cancel", Unit::seconds},
    Option{"client_idle_timeout", "timeouts.client_idle", Unit::seconds},
    Option{"client_login_timeout", "limits.login_timeout", Unit::seconds},
    Option{"idle_transaction_timeout", "timeouts.idle_transaction", Unit::seconds},
    Option{"log_connections", "log.connections", Unit::boolean},
    Option{"log_disconnections", "log.disconnections", Unit::boolean},
    Option{"log_pooler_errors", "log.pool_errors", Unit::boolean},
    Option{"max_client_conn", "limits.client_connections", Unit::number},
    Option{"max_db_client_connections", "limits.connections_per_database", Unit::number},
    Option{"max_user_client_connections", "limits.connections_per_user", Unit::number},
    Option{"max_user_connections", "limits.server_connections_per_user", Unit::number},
    Option{"query_timeout", "timeouts.query", Unit::seconds},
    Option{"server_connect_timeout", "timeouts.connect", Unit::seconds},
    Option{"server_login_retry", "timeouts.connect_retry", Unit::seconds},
    Option{"suspend_timeout", "timeouts.suspend", Unit::seconds},
    Option{"tcp_keepcnt", "timeouts.keepalive.count", Unit::number},
    Option{"tcp_keepidle", "timeouts.keepalive.idle", Unit::seconds},
    Option{"tcp_keepintvl", "timeouts.keepalive.interval", Unit::seconds},
    Option{"tcp_user_timeout", "timeouts.tcp_user", Unit::milliseconds},
    Option{"transaction_timeout", "timeouts.transaction", Unit::seconds},
    Option{"verbose", "log.level", Unit::verbosity},
};

struct RouteOption {
    std::string_view name, key;
};
// Defaults of PgBouncer's that a database may have its own of; here each route has its own.
constexpr std::array route_options{
    RouteOption{"default_pool_size", "size"},
    RouteOption{"max_prepared_statements", "max_prepared_statements"},
    RouteOption{"min_pool_size", "min_size"},
    RouteOption{"pool_mode", "mode"},
    RouteOption{"query_wait_timeout", "query_wait_timeout"},
    RouteOption{"reserve_pool_size", "reserve_size"},
    RouteOption{"reserve_pool_timeout", "reserve_timeout"},
    RouteOption{"server_check_delay", "check_after_idle"},
    RouteOption{"server_idle_timeout", "idle_timeout"},
    RouteOption{"server_lifetime", "lifetime"},
};

template <class List>
auto find_named(const List& list, const std::string& name) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.name == name; });
    return found == list.end() ? nullptr : &*found;
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// PgBouncer's seconds, which may have up to three decimals here. With a unit, or not to be understood, it is left to
// the key.
std::string duration(const std::string& value) {
    const std::size_t dot = value.find('.');
    const std::string whole = value.substr(0, dot);
    if (!is_digits(whole)) return value;
    if (dot == std::string::npos) return value == "0" ? value : value + 's';
    std::string decimals = value.substr(dot + 1);
    if (!is_digits(decimals) || decimals.size() > 3) return value;
    decimals.resize(3, '0');
    const std::string millis = whole + decimals;
    return millis.find_first_not_of('0') == std::string::npos ? "0" : millis + "ms";
}

std::string boolean(const std::string& value) {
    const std::string word = lower_case(value);
    if (word == "1" || word == "on" || word == "yes" || word == "true") return "true";
    if (word == "0" || word == "off" || word == "no" || word == "false") return "false";
    return value;
}

std::string translated(Unit unit, const std::string& value) {
    switch (unit) {
        case Unit::seconds: return duration(value);
        case Unit::milliseconds: return is_digits(value) && value != "0" ? value + "ms" : value;
        case Unit::number: return value;
        case Unit::boolean: return boolean(value);
        case Unit::verbosity: return !is_digits(value) ? value : value == "0" ? "info" : "debug";
    }
    return value;
}

}  // namespace

bool is_borne(std::string_view setting) {
    const std::string name = lower_case(setting);
    return std::find(borne.begin(), borne.end(), name) != borne.end();
}

std::variant<Assignment, wire::SqlError> assignment(const std::string& name, const std::string& value) {
    const std::string word = lower_case(name);
    if (const Option* option = find_named(options, word)) {
        return Assignment{std::string(option->key), translated(option->unit, value)};
    }
    if (const RouteOption* option = find_named(route_options, word)) {
        const std::string key = "routes[N].pool." + std::string(option->key);
        return wire::error(
            "0A000", "there is no setting \"" + word + "\" for all routes", "",
            "Each route has its own: SET '" + key + "' = ..., with the number that SHOW CONFIG gives it.");
    }
    return Assignment{name, value};
}

}  // namespace pgsluice::admin
