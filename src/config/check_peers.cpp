#include "checks.hpp"

#include <algorithm>

namespace pgsluice::config {

void check_peers(Reader& reader, const Node& root, const Config& config) {
    const Peers& peers = config.peers;
    const Node& section = section_of(root, "peers");
    if (peers.id == 0 && !peers.members.empty()) {
        reader.problem(section, "needs the key \"id\": which of the members this one is");
    }
    for_each_item(section, "members", peers.members, [&](const Node& node, const Peer& peer) {
        check_host(reader, node, peer.endpoint);
        const auto first = std::find_if(peers.members.begin(), peers.members.end(),
                                        [&](const Peer& each) { return each.id == peer.id; });
        if (&*first != &peer && peer.id != 0) {
            reader.problem(node_of(node, "id"), "another member has the id " + std::to_string(peer.id));
        }
    });
    const bool is_far = std::any_of(peers.members.begin(), peers.members.end(),
                                    [&](const Peer& peer) { return peer.id != peers.id && !is_local(peer.endpoint); });
    check_server_tls(reader, section, peers.tls, is_far);
}

}  // namespace pgsluice::config
