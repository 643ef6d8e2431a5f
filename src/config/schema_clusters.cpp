#include "codecs.hpp"
#include "schema_users.hpp"
#include "schemas.hpp"

#include <pgsluice/config/ranges.hpp>

namespace pgsluice::config {
namespace {

const Schema<Endpoint>& endpoint_schema() {
    using T = Endpoint;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("host", &T::host, Text{false}, live).required(),
        key<T>("port", &T::port, Number{1, 65535}, live),
    };
    return schema;
}

const Schema<ServerTls>& tls_schema() {
    using T = ServerTls;
    using enum Changes;
    const Words<ServerTlsMode> modes{{server_tls_modes.begin(), server_tls_modes.end()}};
    const Words<ChannelBinding> bindings{{{"disable", ChannelBinding::disable},
                                          {"prefer", ChannelBinding::prefer},
                                          {"require", ChannelBinding::require}}};
    static const Schema<T> schema{
        key<T>("mode", &T::mode, modes, new_connections),
        key<T>("channel_binding", &T::channel_binding, bindings, new_connections),
        key<T>("ca", &T::ca, Path{Path::Is::readable}, new_connections),
        key<T>("certificate", &T::certificate, Path{Path::Is::readable}, new_connections),
        key<T>("private_key", &T::private_key, Path{Path::Is::secret}, new_connections),
    };
    return schema;
}

}  // namespace

const Schema<Cluster>& cluster_schema() {
    using T = Cluster;
    using enum Changes;
    static const Schema<T> schema = [] {
        const Words<LoadBalance> orders{{{"disable", LoadBalance::disable}, {"random", LoadBalance::random}}};
        Schema<T> keys{
            section<T>("servers", &T::servers, ListOf<Object<Endpoint>>{{endpoint_schema}}).required(),
            key<T>("load_balance_hosts", &T::load_balance_hosts, orders, new_connections).settable(),
            key<T>("max_connections", &T::max_connections, Number{0, most_server_connections, "no limit"}, live)
                .settable(),
            key<T>("max_connecting", &T::max_connecting, Number{1, 1000}, live).settable(),
            section<T>("tls", &T::tls, Object<ServerTls>{tls_schema}),
        };
        add_user_source_keys(keys, &T::source);
        return keys;
    }();
    return schema;
}

}  // namespace pgsluice::config
