#include "checks.hpp"

#include <algorithm>

namespace pgsluice::config {
namespace {

bool names_all(const std::vector<std::string>& names) {
    return names.empty() || std::find(names.begin(), names.end(), "*") != names.end();
}

bool matches_everybody(const RouteMatch& match) {
    return names_all(match.databases) && names_all(match.users) && names_all(match.applications) &&
           names_all(match.sni) && match.from.empty();
}

// A GUC's name: identifiers, with dots between them for extensions.
bool is_parameter_name(const std::string& name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '$' || c == '.';
    });
}

void check_parameters(Reader& reader, const Node& route) {
    for (const Node& parameter : section_of(route, "parameters").items) {
        const std::string& name = parameter.key;
        if (name == "user" || name == "database") {
            reader.problem_at_key(parameter, "is no parameter; the route has the key \"" + name + "\" for it");
        } else if (name == "replication" || name == "options" || name.starts_with("_pq_.")) {
            reader.problem_at_key(parameter,
                                  "cannot be set for a pool; allowed are PostgreSQL's configuration parameters");
        } else if (!is_parameter_name(name)) {
            reader.problem_at_key(parameter,
                                  "is not the name of a parameter; allowed are letters, digits, _, $ and dots");
        }
    }
}

void check_pool(Reader& reader, const Node& route, const Pool& pool) {
    if (pool.min_size <= pool.size) return;
    reader.problem(node_of(section_of(route, "pool"), "min_size"),
                   std::to_string(pool.min_size) + " is more than size; allowed is 0 to " + std::to_string(pool.size));
}

}  // namespace

void check_routes(Reader& reader, const Node& root, Config& config) {
    const Node& section = node_of(root, "routes");
    if (section.items.empty() || &section == &root) {
        reader.problem(section, "needs at least one item under \"routes\": no client could be served");
    }
    check_unique(reader, root, "routes", config.routes, &Route::name, "route");
    bool is_reachable = true;
    for_each_item(root, "routes", config.routes, [&](const Node& node, Route& route) {
        if (!node.is(Node::Kind::map)) return;
        resolve_cluster(reader, node, route.cluster, config);
        check_parameters(reader, node);
        check_pool(reader, node, route.pool);
        if (route.log.audit && config.audit.file.empty()) {
            reader.warning(node_of(section_of(node, "log"), "audit"), "audits nothing: audit.file names no file");
        }
        for_each_item(section_of(node, "match"), "databases", route.match.databases,
                      [&](const Node& item, const std::string& name) {
                          if (config.console.answers(name))
                              reader.warning(item, "leads to the console: see admin.console");
                      });
        if (!is_reachable) reader.warning(node, "never used: a route before it matches every client");
        if (matches_everybody(route.match)) is_reachable = false;
    });
}

}  // namespace pgsluice::config
