#include "checks.hpp"

#include <pgsluice/base/address.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::config {
namespace {

bool is_socket_directory(const std::string& host) {
    return host.starts_with('/');
}

}  // namespace

bool is_local(const Endpoint& server) {
    if (is_socket_directory(server.host) || server.host == "localhost") return true;
    const auto address = Address::parse(server.host);
    return address && (server.host == "::1" || address->to_string().starts_with("127."));
}

void check_host(Reader& reader, const Node& node, const Endpoint& server) {
    const Node& host = node_of(node, "host");
    if (is_socket_directory(server.host)) {
        if (!fits_socket_path(server.host, server.port)) {
            reader.problem(host, "the path of the socket in this folder is longer than 107 bytes");
        }
        return;
    }
    if (Address::parse(server.host)) return;
    if (server.host.find_first_of(":[]@") != std::string::npos) {
        reader.problem(host, shown(host) +
                                 " is not a host; allowed is a name, an IP address without brackets, or a folder "
                                 "with a Unix socket; the port has its own key");
    } else if (server.host.find_first_of(", \t") != std::string::npos) {
        reader.problem(host,
                       shown(host) + " is not a host; allowed is one host, each further one in an item of its own");
    }
}

void check_server_tls(Reader& reader, const Node& node, const ServerTls& tls, bool is_far) {
    const Node& section = section_of(node, "tls");
    if (tls.certificate.empty() != tls.private_key.empty()) {
        reader.problem(section, "needs certificate and private_key, or neither");
    }
    const bool may_be_plain =
        tls.mode == ServerTlsMode::disable || tls.mode == ServerTlsMode::allow || tls.mode == ServerTlsMode::prefer;
    if (tls.channel_binding == ChannelBinding::require && may_be_plain) {
        reader.problem(node_of(section, "channel_binding"),
                       "\"require\" needs TLS; allowed with it is mode require, verify-ca or verify-full");
    }
    if (is_far && tls.mode != ServerTlsMode::verify_full) {
        const Node& mode = node_of(section, "mode");
        reader.warning(mode,
                       shown(mode) + " does not protect against somebody who poses as the server; verify-full does");
    }
}

void check_clusters(Reader& reader, const Node& root, Config& config) {
    const Node& section = node_of(root, "clusters");
    if (section.items.empty() || &section == &root)
        reader.problem(section, "needs at least one entry under \"clusters\"");
    for_each_item(root, "clusters", config.clusters, [&](const Node& node, Cluster& cluster) {
        const Node* servers = node.find("servers");
        if (servers != nullptr && servers->is(Node::Kind::list) && servers->items.empty()) {
            reader.problem(*servers, "needs at least one server");
        }
        for_each_item(node, "servers", cluster.servers, [&](const Node& item, const Endpoint& server) {
            check_host(reader, item, server);
            const Endpoint* first = std::find(std::as_const(cluster.servers).data(), &server, server);
            if (first != &server && !server.host.empty()) reader.problem(item, "the server is listed before");
        });
        const bool is_far = !std::all_of(cluster.servers.begin(), cluster.servers.end(), is_local);
        check_server_tls(reader, node, cluster.tls, is_far);
        check_users(reader, node, cluster.source);
        check_auth_query(reader, node, cluster.source, cluster.name, config);
    });
}

}  // namespace pgsluice::config
