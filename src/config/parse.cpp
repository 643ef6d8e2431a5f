#include "parse.hpp"

#include <pgsluice/base/escape.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace pgsluice::config {
namespace {

// Aliases let a few lines stand for billions of values, or contain themselves: both end here.
constexpr std::size_t most_nodes = 1'000'000;
constexpr int deepest = 32;

class Converter {
  public:
    Converter(const std::string& file, Reader& reader) : file_(file), reader_(reader) {}

    Node convert(const YAML::Node& from, const Place& fallback, const std::string& path, int depth = 0) {
        if (depth > deepest || ++nodes_ > most_nodes)
            throw YAML::Exception(from.Mark(), "the document nests too deep or expands to too many values");
        Node node;
        node.path = path;
        node.place = place(from.Mark(), fallback);
        switch (from.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null: node.place = fallback; break;
            case YAML::NodeType::Scalar:
                node.kind = Node::Kind::scalar;
                node.text = from.Scalar();
                node.quoted = from.Tag() != "?";
                break;
            case YAML::NodeType::Sequence: convert_list(from, node, depth); break;
            case YAML::NodeType::Map: convert_map(from, node, depth); break;
        }
        return node;
    }

    Place place(const YAML::Mark& mark, const Place& fallback) const {
        if (mark.is_null()) return fallback;
        return {file_, mark.line + 1, mark.column + 1};
    }

  private:
    void convert_list(const YAML::Node& from, Node& node, int depth) {
        node.kind = Node::Kind::list;
        for (const auto& item : from) {
            const std::string path = node.path + '[' + std::to_string(node.items.size()) + ']';
            node.items.push_back(convert(item, node.place, path, depth + 1));
        }
    }

    void convert_map(const YAML::Node& from, Node& node, int depth) {
        node.kind = Node::Kind::map;
        for (const auto& entry : from) {
            const Place at = place(entry.first.Mark(), node.place);
            if (!entry.first.IsScalar()) {
                reader_.problem(at, node.path, "a key must be a word");
                continue;
            }
            const std::string& key = entry.first.Scalar();
            const std::string path = node.path.empty() ? key : node.path + '.' + key;
            if (const Node* earlier = node.find(key)) {
                reader_.problem(
                    at, path,
                    "the key was set before, in line " + std::to_string(earlier->key_place.line) + "; allowed is once");
                continue;
            }
            Node value = convert(entry.second, at, path, depth + 1);
            value.key = key;
            value.key_place = at;
            node.items.push_back(std::move(value));
        }
    }

    const std::string& file_;
    Reader& reader_;
    std::size_t nodes_ = 0;
};

}  // namespace

std::optional<Node> parse_yaml(const std::string& text, const std::string& file, Reader& reader) {
    const Place top{file, 1, 1};
    if (text.find('\0') != std::string::npos) {
        reader.problem(top, {}, "not a YAML text: it contains a zero byte");
        return std::nullopt;
    }
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text);
        Converter converter(file, reader);
        if (documents.size() > 1) {
            reader.problem(converter.place(documents[1].Mark(), top), {},
                           "a second YAML document begins here; allowed is one");
            return std::nullopt;
        }
        if (documents.empty() || documents[0].IsNull()) {
            Node empty = Node::map();
            empty.place = empty.key_place = top;
            return empty;
        }
        Node root = converter.convert(documents[0], top, {});
        root.key_place = top;
        if (root.is(Node::Kind::map)) return root;
        reader.problem(root, "the file must consist of keys and values, such as \"listeners: [...]\"");
    } catch (const YAML::Exception& error) {
        reader.problem(Converter(file, reader).place(error.mark, top), {},
                       "not valid YAML: " + escaped(error.msg, 200));
    }
    return std::nullopt;
}

}  // namespace pgsluice::config
