#include "checks.hpp"
#include "include.hpp"
#include "schemas.hpp"
#include "users_file.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/config/load.hpp>

namespace pgsluice::config {
namespace {

void read_users_files(Reader& reader, const Node& root, Config& config) {
    const auto read = [&](const Node& section, UserSource& source) {
        if (!source.users_file.empty()) add_users_from_file(source, node_of(section, "users_file"), reader);
    };
    read(section_of(root, "auth"), config.auth.source);
    for_each_item(root, "clusters", config.clusters,
                  [&](const Node& node, Cluster& cluster) { read(node, cluster.source); });
}

}  // namespace

std::string Problem::to_string() const {
    std::string out = file + ':' + std::to_string(line) + ':' + std::to_string(column) + ": ";
    if (!key_path.empty()) out += key_path + ": ";
    return in_one_line(out + text);
}

Loaded load(const std::string& path, const JudgePolicies& judge) {
    Reader reader(path);
    Config config;
    const auto document = read_with_includes(reader);
    if (!document) return reader.finish({});
    const std::vector<std::string> configuration = reader.files();
    read_map(reader, document->root, config_schema(), config);
    // With a file missing, what seems to be left out may stand there: only single values can be judged.
    if (document->complete) {
        check(reader, document->root, config);
        check_files(reader, document->root, config, configuration);
    }
    if (judge) place_findings(reader, document->root, judge(config.policies));
    read_users_files(reader, document->root, config);
    if (document->complete) check_doubts(reader, document->root, config);
    reader.settle_loose_files(config.secret_files);
    return reader.finish(std::move(config));
}

}  // namespace pgsluice::config
