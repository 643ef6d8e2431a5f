#include "node.hpp"

#include <algorithm>
#include <utility>

namespace pgsluice::config {

const Node* Node::find(std::string_view wanted) const {
    if (kind != Kind::map) return nullptr;
    const auto found = std::find_if(items.begin(), items.end(), [&](const Node& item) { return item.key == wanted; });
    return found == items.end() ? nullptr : &*found;
}

Node* Node::find(std::string_view wanted) {
    return const_cast<Node*>(std::as_const(*this).find(wanted));
}

Node Node::make(Kind kind, std::string text, bool quoted) {
    Node node;
    node.kind = kind;
    node.text = std::move(text);
    node.quoted = quoted;
    return node;
}

bool same_value(const Node& a, const Node& b) {
    return a.kind == b.kind && a.text == b.text && a.quoted == b.quoted && a.key == b.key &&
           std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_value);
}

bool is_filled_in(const Node& node) {
    return node.interpolated || std::any_of(node.items.begin(), node.items.end(), is_filled_in);
}

void hide_texts(Node& node) {
    if (node.is(Node::Kind::scalar)) node.text = "***";
    for (Node& item : node.items) hide_texts(item);
}

void name_paths(Node& node) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        Node& item = node.items[i];
        if (node.is(Node::Kind::list)) {
            item.path = node.path + '[' + std::to_string(i) + ']';
        } else {
            item.path = node.path.empty() ? item.key : node.path + '.' + item.key;
        }
        name_paths(item);
    }
}

}  // namespace pgsluice::config
