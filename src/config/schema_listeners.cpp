#include "codecs.hpp"
#include "schemas.hpp"

namespace pgsluice::config {
namespace {

const Schema<ListenerTls>& tls_schema() {
    using T = ListenerTls;
    using enum Changes;
    const Words<ListenerTlsMode> modes{{{"disable", ListenerTlsMode::disable},
                                        {"prefer", ListenerTlsMode::prefer},
                                        {"require", ListenerTlsMode::require},
                                        {"verify-ca", ListenerTlsMode::verify_ca},
                                        {"verify-full", ListenerTlsMode::verify_full}}};
    static const Schema<T> schema{
        key<T>("mode", &T::mode, modes, new_connections),
        key<T>("certificate", &T::certificate, Path{Path::Is::readable}, new_connections),
        key<T>("private_key", &T::private_key, Path{Path::Is::secret}, new_connections),
        key<T>("client_ca", &T::client_ca, Path{Path::Is::readable}, new_connections),
    };
    return schema;
}

const Schema<ProxyProtocol>& proxy_protocol_schema() {
    using T = ProxyProtocol;
    using enum Changes;
    static const Schema<T> schema{key<T>("from", &T::from, ListOf<NetworkBlock>{}, new_connections)};
    return schema;
}

bool is_tcp(const Listener& listener) {
    return listener.unix_directory.empty();
}

bool is_unix(const Listener& listener) {
    return !is_tcp(listener);
}

}  // namespace

const Schema<Listener>& listener_schema() {
    using T = Listener;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("address", &T::address, IpAddress{}, restart).printed_if(is_tcp),
        key<T>("unix", &T::unix_directory, Path{}, restart).printed_if(is_unix),
        key<T>("port", &T::port, Number{0, 65535, "any free port, TCP only"}, restart),
        key<T>("mode", &T::unix_mode, FileMode{}, restart).printed_if(is_unix),
        section<T>("tls", &T::tls, Object<ListenerTls>{tls_schema}).printed_if(is_tcp),
        section<T>("proxy_protocol", &T::proxy_protocol, Object<ProxyProtocol>{proxy_protocol_schema}),
    };
    return schema;
}

}  // namespace pgsluice::config
