// Where the endpoint of metrics and health is, out of files that may be wrong.
#include "include.hpp"
#include "interpolate.hpp"
#include "parse.hpp"
#include "schemas.hpp"

#include <pgsluice/config/load.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgsluice::config {
namespace {

bool is_about_the_endpoint(const Problem& problem) {
    const std::string_view path = problem.key_path;
    const auto is_below = [&](std::string_view key) { return path.starts_with(key); };
    return path == "admin" || (is_below("admin.http") && !is_below("admin.http.token") &&
                               !is_below("admin.http.mode") && !is_below("admin.http.tls."));
}

// The lines of a section of the top level, behind as many empty ones as stand before it; empty where it is not there. A
// section begins in the first column, and so does the next one.
std::string lines_of_section(std::string_view text, std::string_view key) {
    std::string out, before;
    bool is_inside = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end);
        const bool goes_on = std::string_view(" \t\r\n#-]}").find(line.front()) != std::string_view::npos;
        if (!goes_on) is_inside = line.starts_with(key) && line.substr(key.size()).starts_with(':');
        if (is_inside) {
            out += std::exchange(before, {});
            out += line;
        } else {
            before += '\n';
        }
    }
    return out;
}

// Without the rest of the main file: brackets and quotes that are not closed make it no YAML, or take the section in.
// Where includes might tell instead, nobody knows which they are.
std::optional<Node> read_section(Reader& reader) {
    Node start;
    start.place.file = reader.main_file();
    const auto text = reader.contents(reader.main_file(), start, Reader::Holds::nothing_secret, largest_file_bytes);
    if (!text) return std::nullopt;
    auto root = parse_yaml(lines_of_section(*text, "admin"), reader.main_file(), reader);
    if (!root) return std::nullopt;
    const Node* admin = root->find("admin");
    const bool tells = admin != nullptr && admin->find("http") != nullptr;
    if (!tells && !lines_of_section(*text, "include").empty()) return std::nullopt;
    interpolate(*root, reader);
    return root;
}

LoadedEndpoint endpoint_of(Reader& reader, const Node& root) {
    Node relevant = Node::map();
    if (const Node* admin = root.find("admin")) relevant.items.push_back(*admin);
    Config config;
    read_map(reader, relevant, config_schema(), config);
    LoadedEndpoint loaded;
    loaded.problems = reader.finish({}).problems;
    std::erase_if(loaded.problems, [](const Problem& each) { return !is_about_the_endpoint(each); });
    if (!loaded.problems.empty()) return loaded;
    config.admin_http.token = Secret();
    loaded.admin_http = std::move(config.admin_http);
    return loaded;
}

}  // namespace

LoadedEndpoint load_endpoint(const std::string& path) {
    Reader reader(path);
    const auto document = read_with_includes(reader);
    if (document && document->root.find("admin") != nullptr) return endpoint_of(reader, document->root);
    Reader section_reader(path);
    if (const auto root = read_section(section_reader)) return endpoint_of(section_reader, *root);
    if (document) return endpoint_of(reader, document->root);
    return {std::nullopt, reader.finish({}).problems};
}

}  // namespace pgsluice::config
