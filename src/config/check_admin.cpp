#include "checks.hpp"

#include <algorithm>

namespace pgsluice::config {
namespace {

constexpr std::size_t shortest_token = 16;

// No message shows the token.
void check_token(Reader& reader, const Node& node, const AdminHttp& http) {
    const std::string_view token = http.token.reveal();
    if (token.size() < shortest_token) {
        return reader.problem(node,
                              "is too short for a token; allowed are at least 16 characters, such as those that "
                              "\"openssl rand -hex 32\" prints");
    }
    const bool fits_header = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (!fits_header) {
        return reader.problem(node, "does not fit a header; allowed are letters, digits and signs of ASCII, no spaces");
    }
    if (!http.tls.is_on() && !http.address.empty() && !is_local({http.address, http.port})) {
        reader.warning(node,
                       "crosses the network in the clear; better is admin.http.tls, or an address of this "
                       "machine alone");
    }
}

}  // namespace

void check_admin(Reader& reader, const Node& root, const Config& config) {
    const AdminHttp& http = config.admin_http;
    const Node& node = section_of(section_of(root, "admin"), "http");
    if (!http.token.empty()) check_token(reader, node_of(node, "token"), http);
    if (http.tls.certificate.empty() != http.tls.private_key.empty()) {
        reader.problem(node_of(node, "tls"), "needs certificate and private_key, or neither");
    }
    if (!fits_socket_path(http.unix_path)) {
        reader.problem(node_of(node, "unix"), "the path of the socket is longer than 107 bytes");
    }
    const Node* mode = node.find("mode");
    if (mode != nullptr && node.find("unix") == nullptr) {
        reader.problem(*mode, "a file mode is for Unix sockets only");
    }
}

}  // namespace pgsluice::config
