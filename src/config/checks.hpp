// What single values cannot show: combinations that are impossible, and ones that deserve a warning. Each check walks a
// section of the document beside the values read from it, so that a problem stands at its line.
#pragma once

#include "node.hpp"
#include "reader.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/config/load.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::config {

// Also fills in what has the only cluster as its default.
void check(Reader& reader, const Node& root, Config& config);

// Warnings about combinations that are possible and hardly meant. Wants the users of users_file to have been read.
void check_doubts(Reader& reader, const Node& root, const Config& config);
void doubt_policies(Reader& reader, const Node& root, const Config& config);  // a part of it

// Problems where a path is given for two purposes. `configuration`: the files that the document was made from.
void check_files(Reader& reader, const Node& root, const Config& config, const std::vector<std::string>& configuration);

// Problems at the values that the findings are about; none where the value has one already.
void place_findings(Reader& reader, const Node& root, const std::vector<PolicyFinding>& findings);

// The parts of check(), in files of their own.
void check_listeners(Reader& reader, const Node& root, const Config& config);
void check_auth(Reader& reader, const Node& root, Config& config);
void check_clusters(Reader& reader, const Node& root, Config& config);
void check_routes(Reader& reader, const Node& root, Config& config);
void check_policies(Reader& reader, const Node& root, const Config& config);
void check_peers(Reader& reader, const Node& root, const Config& config);
void check_admin(Reader& reader, const Node& root, const Config& config);
void check_users(Reader& reader, const Node& section, const UserSource& source);
// `inside` is the cluster that the query stands under, or empty.
void check_auth_query(Reader& reader, const Node& section, UserSource& source, const std::string& inside,
                      const Config& config);

void check_host(Reader& reader, const Node& node, const Endpoint& server);
// The section `tls` of `node`. `is_far`: the network on the way is not the machine's own.
void check_server_tls(Reader& reader, const Node& node, const ServerTls& tls, bool is_far);
bool is_local(const Endpoint& server);

// A section under `node`; a null node at the place of `node` where it is left out.
const Node& section_of(const Node& node, std::string_view key);
// The node of a key; the section itself where the key is left out, so that a problem about it has a place.
const Node& node_of(const Node& section, std::string_view key);

std::vector<std::string> cluster_names(const Config& config);
// Sets an empty `name` to the only cluster; a problem where there is no such cluster.
void resolve_cluster(Reader& reader, const Node& section, std::string& name, const Config& config);

// libpq's and our listeners' socket name must fit sockaddr_un.
bool fits_socket_path(const std::string& directory, unsigned port);
bool fits_socket_path(const std::string& path);

// Calls f(node, value) for each item of the list or map `key` under `parent`.
template <class Values, class F>
void for_each_item(const Node& parent, std::string_view key, Values& values, F f) {
    const Node* list = parent.find(key);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->items.size() && i < values.size(); ++i) f(list->items[i], values[i]);
}

// A problem at each name that stood before. `name_of` gives a value's name.
template <class T, class F>
void check_unique(Reader& reader, const Node& parent, std::string_view key, const std::vector<T>& values, F name_of,
                  const std::string& what) {
    for_each_item(parent, key, values, [&](const Node& node, const T& value) {
        const auto index = static_cast<std::size_t>(&value - values.data());
        for (std::size_t i = 0; i < index; ++i) {
            const auto name = std::invoke(name_of, value);
            if (name.empty() || name != std::invoke(name_of, values[i])) continue;
            return reader.problem(node_of(node, "name"),
                                  std::string("another ").append(what).append(" has the name \"").append(name) + '"');
        }
    });
}

}  // namespace pgsluice::config
