#include "change.hpp"
#include "checks.hpp"
#include "schemas.hpp"
#include "suggest.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/config/print.hpp>
#include <pgsluice/config/set.hpp>

#include <charconv>

namespace pgsluice::config {
namespace {

NotSet unknown(const Config& config, const std::string& path) {
    std::vector<std::string> known;
    for (PrintedKey& key : print_keys(config)) known.push_back(std::move(key.path));
    const std::string meant = nearest(path, known);
    return {NotSet::Why::unknown_key,
            escaped(path, 100) + ": there is no such key" + (meant.empty() ? "" : ", did you mean \"" + meant + "\"?")};
}

}  // namespace

std::optional<std::string_view> Change::next_key() {
    if (!std::exchange(at_top_, false)) {
        if (!rest_.starts_with('.')) return std::nullopt;
        rest_.remove_prefix(1);
    }
    const std::string_view key = rest_.substr(0, rest_.find_first_of(".["));
    rest_.remove_prefix(key.size());
    return key;
}

std::optional<std::size_t> Change::next_index() {
    if (!rest_.starts_with('[')) return std::nullopt;
    std::size_t index = 0;
    const char* const last = rest_.data() + rest_.size();
    const auto [end, error] = std::from_chars(rest_.data() + 1, last, index);
    if (error != std::errc() || end == last || *end != ']') return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end + 1 - rest_.data()));
    return index;
}

bool Change::is_next(std::string_view name) const {
    return rest_.starts_with('.') && rest_.substr(1).starts_with(name) &&
           rest_.substr(1 + name.size()).starts_with('.');
}

std::variant<Config, NotSet> set(const Config& config, const std::string& path, const std::string& value) {
    Reader reader(config.path);
    Node node = Node::scalar(value);
    node.path = path;
    Change change(reader, path, std::move(node));
    Config changed = config;
    change_map(change, config_schema(), changed);
    switch (change.outcome) {
        case Change::Outcome::no_such_key: return unknown(config, path);
        case Change::Outcome::restart_only:
            return NotSet{NotSet::Why::restart_only, path + ": cannot be changed without a restart"};
        case Change::Outcome::files_only:
            return NotSet{NotSet::Why::files_only, path + ": can be changed in the configuration's files only"};
        case Change::Outcome::read: break;
    }
    // The other keys stand in the document as they are printed, which reads back as the same.
    Node root = print_map(config_schema(), changed);
    name_paths(root);
    if (reader.problems().empty()) check(reader, root, changed);
    if (reader.problems().empty()) return changed;
    const Problem& first = reader.problems().front();
    return NotSet{NotSet::Why::bad_value, first.key_path + ": " + first.text};
}

}  // namespace pgsluice::config
