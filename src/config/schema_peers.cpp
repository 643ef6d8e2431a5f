#include "codecs.hpp"
#include "schemas.hpp"

namespace pgsluice::config {
namespace {

const Schema<Peer>& peer_schema() {
    using T = Peer;
    using enum Changes;
    const auto host = [](auto& peer) -> auto& {
        return peer.endpoint.host;
    };
    const auto port = [](auto& peer) -> auto& {
        return peer.endpoint.port;
    };
    static const Schema<T> schema{
        key<T>("id", &T::id, Number{1, largest_peer}, live).required(),
        key<T>("host", host, Text{false}, live).required(),
        key<T>("port", port, Number{1, 65535}, live),
    };
    return schema;
}

// What a cancel request needs: there is no login that could be bound to the connection, and no mode that may do without
// TLS where the other end has none.
const Schema<ServerTls>& tls_schema() {
    using T = ServerTls;
    using enum Changes;
    const Words<ServerTlsMode> modes{{{"disable", ServerTlsMode::disable},
                                      {"require", ServerTlsMode::require},
                                      {"verify-ca", ServerTlsMode::verify_ca},
                                      {"verify-full", ServerTlsMode::verify_full}}};
    static const Schema<T> schema{
        key<T>("mode", &T::mode, modes, live),
        key<T>("ca", &T::ca, Path{Path::Is::readable}, live),
        key<T>("certificate", &T::certificate, Path{Path::Is::readable}, live),
        key<T>("private_key", &T::private_key, Path{Path::Is::secret}, live),
    };
    return schema;
}

}  // namespace

const Schema<Peers>& peers_schema() {
    using T = Peers;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("id", &T::id, Number{0, largest_peer, "no peers"}, new_connections),
        section<T>("members", &T::members, ListOf<Object<Peer>>{{peer_schema}}),
        section<T>("tls", &T::tls, Object<ServerTls>{tls_schema}),
    };
    return schema;
}

}  // namespace pgsluice::config
