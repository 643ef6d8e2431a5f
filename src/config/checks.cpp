#include "checks.hpp"

#include "suggest.hpp"

#include <sys/un.h>

namespace pgsluice::config {

const Node& section_of(const Node& node, std::string_view key) {
    static const Node none;
    const Node* found = node.find(key);
    return found == nullptr ? none : *found;
}

const Node& node_of(const Node& section, std::string_view key) {
    const Node* found = section.find(key);
    return found == nullptr ? section : *found;
}

std::vector<std::string> cluster_names(const Config& config) {
    std::vector<std::string> names;
    for (const Cluster& cluster : config.clusters) names.push_back(cluster.name);
    return names;
}

void resolve_cluster(Reader& reader, const Node& section, std::string& name, const Config& config) {
    if (config.clusters.empty()) return;  // a problem of its own
    if (name.empty() && config.clusters.size() == 1) name = config.clusters[0].name;
    for (const Cluster& cluster : config.clusters) {
        if (cluster.name == name) return;
    }
    if (name.empty()) {
        reader.problem(section, "needs the key \"cluster\": there is more than one, " + one_of(cluster_names(config)));
    } else {
        const Node& node = node_of(section, "cluster");
        reader.problem(node, "there is no cluster " + shown(node) + suggestion(name, cluster_names(config)));
    }
}

bool fits_socket_path(const std::string& directory, unsigned port) {
    return fits_socket_path(directory + "/.s.PGSQL." + std::to_string(port));
}

bool fits_socket_path(const std::string& path) {
    return path.size() < sizeof(sockaddr_un{}.sun_path);
}

void check(Reader& reader, const Node& root, Config& config) {
    check_listeners(reader, root, config);
    check_clusters(reader, root, config);
    check_auth(reader, root, config);
    check_routes(reader, root, config);
    check_policies(reader, root, config);
    check_peers(reader, root, config);
    check_admin(reader, root, config);
}

}  // namespace pgsluice::config
