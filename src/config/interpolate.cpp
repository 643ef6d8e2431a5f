#include "interpolate.hpp"

#include <pgsluice/base/escape.hpp>

#include <cstdlib>

namespace pgsluice::config {
namespace {

constexpr std::size_t largest_value_bytes = 1 << 20;
constexpr std::string_view allowed = "allowed are ${env:NAME}, ${file:PATH}, ${credential:NAME} and $$";

std::optional<std::string> from_environment(const std::string& name, const Node& node, Reader& reader) {
    if (const char* value = std::getenv(name.c_str())) return value;
    reader.problem(node, "the environment variable " + escaped(name, 80) + " is not set");
    return std::nullopt;
}

std::optional<std::string> from_file(const std::string& path, const Node& node, Reader& reader) {
    auto text = reader.contents(reader.absolute(path), node, Reader::Holds::secrets, largest_value_bytes);
    if (!text) return std::nullopt;
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    if (text->find('\0') == std::string::npos) return text;
    reader.problem(node, reader.absolute(path) + " contains a zero byte; allowed is text");
    return std::nullopt;
}

// systemd's LoadCredential= and SetCredential=.
std::optional<std::string> from_credential(const std::string& name, const Node& node, Reader& reader) {
    if (name.find('/') != std::string::npos) {
        reader.problem(node, "a credential's name has no '/'");
        return std::nullopt;
    }
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder != nullptr) return from_file(std::string(folder) + '/' + name, node, reader);
    reader.problem(node, "${credential:...} needs $CREDENTIALS_DIRECTORY, which systemd sets for LoadCredential=");
    return std::nullopt;
}

// `reference` is what stands between "${" and "}".
std::optional<std::string> look_up(std::string_view reference, const Node& node, Reader& reader) {
    const auto colon = reference.find(':');
    const std::string_view kind = reference.substr(0, colon);
    const std::string name(colon == std::string_view::npos ? std::string_view() : reference.substr(colon + 1));
    if (!name.empty()) {
        if (kind == "env") return from_environment(name, node, reader);
        if (kind == "file") return from_file(name, node, reader);
        if (kind == "credential") return from_credential(name, node, reader);
    }
    reader.problem(node, "\"${" + escaped(reference, 80) + "}\" is unknown; " + std::string(allowed));
    return std::nullopt;
}

void fill_in(Node& node, Reader& reader) {
    std::string out;
    std::string_view rest = node.text;
    for (auto dollar = rest.find('$'); dollar != std::string_view::npos; dollar = rest.find('$')) {
        const char next = dollar + 1 < rest.size() ? rest[dollar + 1] : '\0';
        out += rest.substr(0, dollar);
        rest.remove_prefix(dollar);
        if (next == '{') {
            const auto end = rest.find('}');
            if (end == std::string_view::npos) {
                reader.problem(node, "\"${\" without \"}\"; " + std::string(allowed));
                return;
            }
            const auto value = look_up(rest.substr(2, end - 2), node, reader);
            node.interpolated = true;
            if (value) out += *value;
            rest.remove_prefix(end + 1);
        } else {
            out += '$';
            rest.remove_prefix(next == '$' ? 2 : 1);
        }
    }
    out += rest;
    node.text = std::move(out);
}

}  // namespace

void interpolate(Node& node, Reader& reader) {
    if (node.is(Node::Kind::scalar) && node.text.find('$') != std::string::npos) fill_in(node, reader);
    for (Node& item : node.items) interpolate(item, reader);
}

}  // namespace pgsluice::config
