#include "checks.hpp"

namespace pgsluice::config {
namespace {

void check_tls(Reader& reader, const Node& node, const ListenerTls& tls) {
    const Node& section = section_of(node, "tls");
    if (section.find("mode") == nullptr &&
        !(tls.certificate.empty() && tls.private_key.empty() && tls.client_ca.empty())) {
        reader.problem(section,
                       "needs the key \"mode\": without it TLS is off; allowed is disable, prefer, require, "
                       "verify-ca or verify-full");
    }
    if (tls.mode == ListenerTlsMode::disable) return;
    const Node& mode = node_of(section, "mode");
    if (tls.certificate.empty() || tls.private_key.empty()) {
        reader.problem(mode, shown(mode) + " needs certificate and private_key");
    }
    const bool verifies = tls.mode == ListenerTlsMode::verify_ca || tls.mode == ListenerTlsMode::verify_full;
    if (verifies && tls.client_ca.empty()) {
        reader.problem(mode, shown(mode) + " needs client_ca, the authority that signs client certificates");
    }
}

void check_unix(Reader& reader, const Node& node, const Listener& listener) {
    if (listener.port == 0) {
        reader.problem(node_of(node, "port"), "0 (any free port) is for TCP only; allowed is 1 to 65535");
    }
    if (!fits_socket_path(listener.unix_directory, listener.port)) {
        reader.problem(node_of(node, "unix"), "the path of the socket, " + listener.unix_directory + "/.s.PGSQL." +
                                                  std::to_string(listener.port) + ", is longer than 107 bytes");
    }
    if (listener.tls.mode != ListenerTlsMode::disable) {
        reader.problem(node_of(node, "tls"), "a Unix socket has no TLS; allowed is mode: disable");
    }
}

}  // namespace

void check_listeners(Reader& reader, const Node& root, const Config& config) {
    const Node& section = node_of(root, "listeners");
    if (section.items.empty() || &section == &root)
        reader.problem(section, "needs at least one item under \"listeners\"");
    for_each_item(root, "listeners", config.listeners, [&](const Node& node, const Listener& listener) {
        if (!node.is(Node::Kind::map)) return;
        const bool given_both = !listener.address.empty() && !listener.unix_directory.empty();
        if (given_both || (node.find("address") == nullptr && node.find("unix") == nullptr)) {
            return reader.problem(node, "needs either the key \"address\" or the key \"unix\"");
        }
        if (listener.unix_directory.empty()) {
            if (const Node* mode = node.find("mode")) reader.problem(*mode, "a file mode is for Unix sockets only");
            check_tls(reader, node, listener.tls);
        } else {
            check_unix(reader, node, listener);
        }
        for (const Listener* earlier = config.listeners.data(); earlier != &listener; ++earlier) {
            const bool is_same = earlier->address == listener.address &&
                                 earlier->unix_directory == listener.unix_directory && earlier->port == listener.port;
            if (is_same && listener.port != 0)
                return reader.problem(node, "another listener has this address and port");
        }
    });
}

}  // namespace pgsluice::config
