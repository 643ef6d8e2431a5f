#include "schemas.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/config/print.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::config {
namespace {

constexpr char hex[] = "0123456789abcdef";

std::string hex_digits(std::uint32_t value, int digits) {
    std::string out;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += hex[(value >> shift) & 0x0F];
    return out;
}

// Double quotes, which can hold everything. In a value a `$` is doubled, so that reading it back fills nothing in; keys
// are taken as they are. What readers take for the end of a line is escaped, U+2028 and its like among it.
std::string quoted(const std::string& text, std::string_view dollar) {
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        const auto control = control_at(std::string_view(text).substr(at));
        const std::size_t length = std::max<std::size_t>(utf8_sequence_length(std::string_view(text).substr(at)), 1);
        if (c == '"' || c == '\\') {
            out.append({'\\', c});
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '$') {
            out += dollar;
        } else if (control) {
            out += *control < 0x100 ? "\\x" + hex_digits(*control, 2) : "\\u" + hex_digits(*control, 4);
        } else {
            out.append(text, at, length);
        }
        at += length;
    }
    return out + '"';
}

// A name as a key: in quotes where it is not a plain word, or is YAML's word for nothing.
std::string key_text(const std::string& key) {
    const bool is_word = !key.empty() && key != "null" &&
                         std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return is_word ? key : quoted(key, "$");
}

bool is_flat(const Node& node) {
    if (node.is(Node::Kind::scalar) || node.items.empty()) return true;
    return node.is(Node::Kind::list) &&
           std::all_of(node.items.begin(), node.items.end(), [](const Node& n) { return n.is(Node::Kind::scalar); });
}

// Appends `node` as a block; `indent` is how deep its lines stand. The first line of an item of a list follows its "-
// ".
void write_block(std::string& out, const Node& node, std::size_t indent, bool follows_dash) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& item = node.items[i];
        if (i > 0 || !follows_dash) out.append(indent, ' ');
        if (node.is(Node::Kind::list)) {
            out += "- ";
        } else {
            out += key_text(item.key) + ':';
        }
        if (is_flat(item)) {
            out += (node.is(Node::Kind::map) ? " " : "") + yaml_text(item) + '\n';
        } else if (node.is(Node::Kind::list)) {
            write_block(out, item, indent + 2, true);
        } else {
            out += '\n';
            write_block(out, item, indent + 2, false);
        }
    }
}

// What is not a default, on one line.
std::string in_flow(const Node& node) {
    if (!node.is(Node::Kind::map)) return yaml_text(node);
    std::string out;
    for (const Node& item : node.items) {
        if (!item.is_default) out += (out.empty() ? "{" : ", ") + key_text(item.key) + ": " + in_flow(item);
    }
    return out.empty() ? out : out + '}';
}

std::string section_in_flow(const Policy& policy, std::string_view section) {
    const Node printed = print_map(policy_schema(), policy);
    const Node* found = printed.find(section);
    return found == nullptr ? std::string() : in_flow(*found);
}

// Only what is not a default, with the passwords themselves.
Node as_written(const Node& node) {
    Node out = node;
    if (out.secret != nullptr) out.text = out.secret->reveal();
    std::erase_if(out.items, [](const Node& item) { return item.is_default; });
    for (Node& item : out.items) item = as_written(item);
    return out;
}

using Lists = std::map<std::string, std::vector<Node*>>;

// Flat lists that are worth a name, by their text; those of a text in the order of the file.
void find_long_lists(Node& node, Lists& lists) {
    constexpr std::size_t long_text = 100;
    if (node.is(Node::Kind::list) && is_flat(node)) {
        std::string text = yaml_text(node);
        if (text.size() >= long_text) lists[std::move(text)].push_back(&node);
        return;
    }
    for (Node& item : node.items) find_long_lists(item, lists);
}

void write_as(Node& list, std::string text) {
    list.kind = Node::Kind::scalar;
    list.text = std::move(text);
    list.items.clear();
}

// A long list that stands in several places is written in the first, with an anchor, and named in the others, so that a
// thousand names in fifty rules are a thousand and not fifty thousand.
void write_long_lists_once(Node& root) {
    Lists lists;
    find_long_lists(root, lists);
    std::size_t named = 0;
    for (const auto& [text, places] : lists) {
        if (places.size() < 2) continue;
        const std::string name = "list" + std::to_string(++named);
        for (Node* place : places) write_as(*place, '*' + name);
        places.front()->text.front() = '&';
        places.front()->text.append(1, ' ').append(text);
    }
}

void add_keys(std::vector<PrintedKey>& out, const Node& node, const PrintedKey& above) {
    if (is_flat(node)) {
        out.push_back({above.path, above.pattern, node.is(Node::Kind::scalar) ? node.text : yaml_text(node)});
        return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& item = node.items[i];
        const std::string dot = above.path.empty() ? "" : ".";
        if (node.is(Node::Kind::list)) {
            add_keys(out, item, {above.path + '[' + std::to_string(i) + ']', above.pattern + "[]", {}});
        } else {
            const bool is_cluster = above.pattern == "clusters";
            add_keys(out, item,
                     {above.path + dot + item.key, above.pattern + dot + (is_cluster ? "NAME" : item.key), {}});
        }
    }
}

}  // namespace

std::string yaml_text(const Node& node) {
    if (node.is(Node::Kind::scalar)) return node.quoted ? quoted(node.text, "$$") : node.text;
    if (node.is(Node::Kind::map)) return "{}";
    if (node.is(Node::Kind::null)) return "";
    std::string out = "[";
    for (const Node& item : node.items) out += (out.size() > 1 ? ", " : "") + yaml_text(item);
    return out + ']';
}

std::vector<PrintedKey> print_keys(const Config& config) {
    std::vector<PrintedKey> out;
    add_keys(out, print_map(config_schema(), config), {});
    return out;
}

std::string print_when(const Policy& policy) {
    return section_in_flow(policy, "when");
}

std::string print_effect(const Policy& policy) {
    return section_in_flow(policy, policy.action == PolicyAction::limit ? "limit" : "rewrite");
}

std::string print(const Config& config) {
    std::string out;
    write_block(out, print_map(config_schema(), config), 0, false);
    return out;
}

std::string write(const Config& config) {
    Node written = as_written(print_map(config_schema(), config));
    write_long_lists_once(written);
    std::string out;
    write_block(out, written, 0, false);
    return out;
}

}  // namespace pgsluice::config
