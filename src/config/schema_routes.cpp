#include "codecs.hpp"
#include "schemas.hpp"
#include "text_map.hpp"

#include <pgsluice/config/ranges.hpp>

namespace pgsluice::config {
namespace {

const Schema<RouteMatch>& match_schema() {
    using T = RouteMatch;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("databases", &T::databases, ListOf<Text>{{false}}, new_connections),
        key<T>("users", &T::users, ListOf<Text>{{false}}, new_connections),
        key<T>("applications", &T::applications, ListOf<Text>{{false}}, new_connections),
        key<T>("from", &T::from, ListOf<NetworkBlock>{}, new_connections),
        key<T>("sni", &T::sni, ListOf<Text>{{false}}, new_connections),
    };
    return schema;
}

const Schema<Pool>& pool_schema() {
    using T = Pool;
    using enum Changes;
    const Words<PoolMode> modes{
        {{"session", PoolMode::session}, {"transaction", PoolMode::transaction}, {"statement", PoolMode::statement}}};
    const Words<SessionState> states{
        {{"preserve", SessionState::preserve}, {"reject", SessionState::reject}, {"ignore", SessionState::ignore}}};
    const Words<CustomSettings> custom{
        {{"affinity", CustomSettings::affinity}, {"close", CustomSettings::close}, {"share", CustomSettings::share}}};
    static const Schema<T> schema{
        key<T>("mode", &T::mode, modes, new_connections),
        key<T>("size", &T::size, Number{1, largest_pool}, live),
        key<T>("min_size", &T::min_size, Number{0, largest_pool}, live),
        key<T>("reserve_size", &T::reserve_size, Number{0, largest_pool, "no reserve"}, live),
        key<T>("reserve_timeout", &T::reserve_timeout, Duration{}, live),
        key<T>("query_wait_timeout", &T::query_wait_timeout, Duration{}, live),
        key<T>("idle_timeout", &T::idle_timeout, Duration{}, live),
        key<T>("lifetime", &T::lifetime, Duration{}, live),
        key<T>("check_after_idle", &T::check_after_idle, Duration{}, live),
        key<T>("max_prepared_statements", &T::max_prepared_statements, Number{0, most_prepared_statements, "off"},
               new_connections),
        key<T>("session_state", &T::session_state, states, new_connections),
        key<T>("max_pinned", &T::max_pinned, Percent{}, live),
        key<T>("custom_settings", &T::custom_settings, custom, live),
        key<T>("check_at_release", &T::check_at_release, Boolean{}, live),
        key<T>("lazy_begin", &T::lazy_begin, Boolean{}, live),
    };
    return schema;
}

const Schema<QueryLog>& query_log_schema() {
    using T = QueryLog;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("slow_query", &T::slow_query, Duration{}, live),
        key<T>("sample_one_in", &T::sample_one_in, Number{0, 1'000'000'000, "none"}, live),
        key<T>("literals", &T::literals, Boolean{}, live),
        key<T>("audit", &T::audit, Boolean{}, live),
    };
    return schema;
}

}  // namespace

const Schema<Route>& route_schema() {
    using T = Route;
    using enum Changes;
    const Words<TargetSessionAttrs> attributes{{{"any", TargetSessionAttrs::any},
                                                {"read-write", TargetSessionAttrs::read_write},
                                                {"read-only", TargetSessionAttrs::read_only},
                                                {"primary", TargetSessionAttrs::primary},
                                                {"standby", TargetSessionAttrs::standby},
                                                {"prefer-standby", TargetSessionAttrs::prefer_standby}}};
    const Words<Replication> replication{{{"allow", Replication::allow}, {"reject", Replication::reject}}};
    static const Schema<T> schema{
        key<T>("name", &T::name, Text{false}, live).required(),
        section<T>("match", &T::match, Object<RouteMatch>{match_schema}),
        key<T>("cluster", &T::cluster, Text{}, live),
        key<T>("database", &T::database, Text{}, new_connections),
        key<T>("user", &T::user, Text{}, new_connections),
        key<T>("password", &T::password, Password{}, new_connections),
        key<T>("target_session_attrs", &T::target_session_attrs, attributes, new_connections),
        key<T>("parameters", &T::parameters, TextMap{}, new_connections).hidden_if(&T::parameters_filled_in),
        key<T>("connect_query", &T::connect_query, Text{}, new_connections).hidden_if(&T::connect_query_filled_in),
        section<T>("pool", &T::pool, Object<Pool>{pool_schema}).settable(),
        section<T>("timeouts", &T::timeouts, Object<ClientTimeoutOverrides>{timeout_overrides_schema}).settable(),
        section<T>("log", &T::log, Object<QueryLog>{query_log_schema}).settable(),
        key<T>("max_connections", &T::max_connections, Number{0, most_connections, "no limit"}, new_connections)
            .settable(),
        key<T>("replication", &T::replication, replication, new_connections),
    };
    return schema;
}

}  // namespace pgsluice::config
