// The top level.
#include "codecs.hpp"
#include "schemas.hpp"

namespace pgsluice::config {
namespace {

// Sections of one or two keys that are plain members of Config.
const auto itself = [](auto& config) -> auto& {
    return config;
};

const Schema<Config>& reload_schema() {
    static const Schema<Config> schema{
        key<Config>("watch", &Config::reload_watch, Boolean{}, Changes::live),
    };
    return schema;
}

const Schema<Config>& metrics_schema() {
    static const Schema<Config> schema{
        key<Config>("max_series", &Config::metrics_max_series, Number{0, 1'000'000}, Changes::new_connections),
    };
    return schema;
}

const Schema<Config>& insight_schema() {
    static const Schema<Config> schema{
        key<Config>("max_queries", &Config::insight_max_queries, Number{0, 100'000, "off"}, Changes::live).settable(),
    };
    return schema;
}

const Schema<Config>& security_schema() {
    const Words<SecretFiles> rules{{{"warn", SecretFiles::warn}, {"enforce", SecretFiles::enforce}}};
    static const Schema<Config> schema{
        key<Config>("secret_files", &Config::secret_files, rules, Changes::live),
    };
    return schema;
}

const Schema<Config>& policy_defaults_schema() {
    const Words<OnUnparsable> words{{{"block", OnUnparsable::block}, {"allow", OnUnparsable::allow}}};
    static const Schema<Config> schema{
        key<Config>("on_unparsable", &Config::on_unparsable, words, Changes::live),
    };
    return schema;
}

// Files are taken in before anything is read, so here the key is only known and listed.
Key<Config> include_key() {
    Key<Config> key;
    key.name = "include";
    key.read = [](Reader&, const Node&, Config&) {};
    key.print = [](const Config&) { return Node(); };
    key.change = [](Change& change, Config&) { change.outcome = Change::Outcome::files_only; };
    key.keep = [](const Config&, Config&, const std::string&, std::vector<std::string>&) {};
    key.list = [](const std::string&, std::vector<KeyInfo>& keys) {
        keys.push_back({"include", "list of paths", "[]", Changes::live});
    };
    return key;
}

}  // namespace

const Schema<Config>& config_schema() {
    using T = Config;
    static const Schema<T> schema{
        include_key(),
        section<T>("listeners", &T::listeners, ListOf<Object<Listener>>{{listener_schema}}),
        key<T>("workers", &T::workers, NumberOr{"auto", 1024}, Changes::restart),
        section<T>("limits", &T::limits, Object<Limits>{limits_schema}).settable(),
        section<T>("timeouts", &T::timeouts, Object<Timeouts>{timeouts_schema}).settable(),
        section<T>("shutdown", &T::shutdown, Object<Shutdown>{shutdown_schema}).settable(),
        section<T>("reload", itself, Object<T>{reload_schema}).settable(),
        section<T>("auth", &T::auth, Object<Auth>{auth_schema}),
        section<T>("clusters", &T::clusters, Named<Cluster>{cluster_schema}),
        section<T>("routes", &T::routes, ListOf<Object<Route>>{{route_schema}}),
        section<T>("policies", &T::policies, ListOf<Object<Policy>>{{policy_schema}}),
        section<T>("policy_defaults", itself, Object<T>{policy_defaults_schema}),
        section<T>("log", &T::log, Object<Log>{log_schema}),
        section<T>("audit", &T::audit, Object<Audit>{audit_schema}),
        section<T>("admin", itself, Object<T>{admin_schema}),
        section<T>("metrics", itself, Object<T>{metrics_schema}),
        section<T>("insight", itself, Object<T>{insight_schema}),
        section<T>("security", itself, Object<T>{security_schema}),
        section<T>("peers", &T::peers, Object<Peers>{peers_schema}),
    };
    return schema;
}

std::string to_string(Changes changes) {
    switch (changes) {
        case Changes::live: return "live";
        case Changes::new_connections: return "new connections";
        case Changes::restart: return "restart";
    }
    return {};
}

std::vector<KeyInfo> known_keys() {
    std::vector<KeyInfo> keys;
    Object<Config>{config_schema}.list({}, keys);
    return keys;
}

}  // namespace pgsluice::config
