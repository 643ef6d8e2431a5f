#include "codecs.hpp"
#include "schema_users.hpp"
#include "schemas.hpp"
#include "text_map.hpp"

#include <pgsluice/config/ranges.hpp>

namespace pgsluice::config {
namespace {

const Schema<AuthRule>& rule_schema() {
    using T = AuthRule;
    using enum Changes;
    const Words<TlsCondition> conditions{
        {{"any", TlsCondition::any}, {"require", TlsCondition::require}, {"refuse", TlsCondition::refuse}}};
    const Words<AuthMethod> methods{{{"trust", AuthMethod::trust},
                                     {"reject", AuthMethod::reject},
                                     {"password", AuthMethod::password},
                                     {"md5", AuthMethod::md5},
                                     {"scram-sha-256", AuthMethod::scram_sha_256},
                                     {"cert", AuthMethod::cert},
                                     {"peer", AuthMethod::peer}}};
    static const Schema<T> schema{
        key<T>("from", &T::from, ListOf<NetworkBlock>{}, new_connections),
        key<T>("tls", &T::tls, conditions, new_connections),
        key<T>("databases", &T::databases, ListOf<Text>{{false}}, new_connections),
        key<T>("users", &T::users, ListOf<Text>{{false}}, new_connections),
        key<T>("method", &T::method, methods, new_connections).required(),
        key<T>("map", &T::map, TextMap{}, new_connections),
    };
    return schema;
}

}  // namespace

const Schema<User>& user_schema() {
    using T = User;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("name", &T::name, Text{false}, new_connections).required(),
        key<T>("password", &T::password, Password{}, new_connections),
        section<T>("timeouts", &T::timeouts, Object<ClientTimeoutOverrides>{timeout_overrides_schema}),
        key<T>("max_connections", &T::max_connections, Number{0, most_connections, "limits.connections_per_user"},
               new_connections),
        key<T>("max_server_connections", &T::max_server_connections,
               Number{0, most_connections, "limits.server_connections_per_user"}, new_connections),
    };
    return schema;
}

const Schema<AuthQuery>& auth_query_schema() {
    using T = AuthQuery;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("cluster", &T::cluster, Text{}, new_connections),
        key<T>("database", &T::database, Text{false}, new_connections).required(),
        key<T>("user", &T::user, Text{false}, new_connections).required(),
        key<T>("password", &T::password, Password{}, new_connections),
        key<T>("sql", &T::sql, Text{false}, new_connections).required(),
        key<T>("cache", &T::cache, Duration{}, new_connections),
        key<T>("negative_cache", &T::negative_cache, Duration{}, new_connections),
    };
    return schema;
}

const Schema<Auth>& auth_schema() {
    using T = Auth;
    static const Schema<T> schema = [] {
        Schema<T> keys{section<T>("rules", &T::rules, ListOf<Object<AuthRule>>{{rule_schema}})};
        add_user_source_keys(keys, &T::source);
        return keys;
    }();
    return schema;
}

}  // namespace pgsluice::config
