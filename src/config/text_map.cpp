#include "text_map.hpp"

namespace pgsluice::config {

void TextMap::read(Reader& reader, const Node& node, Pairs& out) const {
    if (!node.is(Node::Kind::map)) return reader.problem(node, "must be a map of texts, such as { name: value }");
    for (const Node& item : node.items) {
        if (!item.is(Node::Kind::scalar)) {
            reader.problem_at_key(item, "must be a text; write \"\" for an empty one");
        } else if (item.key.empty() || item.key.find('\0') != std::string::npos) {
            reader.problem_at_key(item, "must have a name");
        } else if (item.text.find('\0') != std::string::npos) {
            reader.problem(item, "must not contain a zero byte");
        } else {
            out.emplace_back(item.key, item.text);
        }
    }
}

void TextMap::read(Reader& reader, const Node& node, std::map<std::string, std::string>& out) const {
    Pairs pairs;
    read(reader, node, pairs);
    out.insert(pairs.begin(), pairs.end());
}

Node TextMap::print(const Pairs& pairs) const {
    Node map = Node::map();
    for (const auto& [name, value] : pairs) {
        Node item = Node::quoted_text(value);
        item.key = name;
        map.items.push_back(std::move(item));
    }
    return map;
}

}  // namespace pgsluice::config
