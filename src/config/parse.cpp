#include "parse.hpp"

#include <pgsluice/base/escape.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <sstream>
#include <utility>
#include <vector>

namespace pgsluice::config {
namespace {

// Aliases let a few lines stand for billions of values: that ends here.
constexpr std::size_t most_nodes = 250'000;
constexpr std::size_t deepest = 32;

std::size_t count(const Node& node) {
    std::size_t nodes = 1;
    for (const Node& item : node.items) nodes += count(item);
    return nodes;
}

// Builds Nodes out of the parser's events. We go without YAML::Load and its kin: they take only the first document, and
// YAML::LoadAll of yaml-cpp 0.7 never returns from a file that begins with a comma.
class Builder : public YAML::EventHandler {
  public:
    Builder(const std::string& file, Reader& reader) : file_(file), reader_(reader) {}

    // Null until a document has been read.
    std::optional<Node> take() { return std::exchange(root_, std::nullopt); }
    const Place& begins_at() const { return begins_at_; }

    void OnDocumentStart(const YAML::Mark& mark) override { begins_at_ = place(mark); }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        finish(begin(mark, Node::Kind::null), anchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node = begin(mark, Node::Kind::scalar);
        node.text = value;
        node.quoted = tag != "?";
        finish(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) throw YAML::Exception(mark, "an alias stands inside of what it is an alias of");
        nodes_ += count(found->second);
        if (nodes_ > most_nodes) too_much(mark);
        add(found->second);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(begin(mark, Node::Kind::list), anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(begin(mark, Node::Kind::map), anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

    Place place(const YAML::Mark& mark) const {
        if (mark.is_null()) return {file_, 1, 1};
        return {file_, mark.line + 1, mark.column + 1};
    }

  private:
    // A list or map that is being read.
    struct Open {
        Node node;
        YAML::anchor_t anchor;
        std::optional<Node> key;  // of a map, while its value is awaited
    };

    [[noreturn]] static void too_much(const YAML::Mark& mark) {
        throw YAML::Exception(mark, "the document nests too deep or expands to too many values");
    }

    Node begin(const YAML::Mark& mark, Node::Kind kind) {
        if (++nodes_ > most_nodes || open_.size() >= deepest) too_much(mark);
        Node node;
        node.kind = kind;
        node.place = place(mark);
        return node;
    }

    void open(Node node, YAML::anchor_t anchor) { open_.push_back({std::move(node), anchor, std::nullopt}); }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        finish(std::move(done.node), done.anchor);
    }

    void finish(Node node, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) anchors_.emplace(anchor, node);
        add(std::move(node));
    }

    void add(Node node) {
        if (open_.empty()) {
            root_ = std::move(node);
        } else if (Open& parent = open_.back(); parent.node.is(Node::Kind::list)) {
            parent.node.items.push_back(std::move(node));
        } else if (!parent.key) {
            parent.key = std::move(node);
        } else {
            add_entry(parent.node, *std::exchange(parent.key, std::nullopt), std::move(node));
        }
    }

    void add_entry(Node& map, const Node& key, Node value) {
        if (!key.is(Node::Kind::scalar)) return reader_.problem(key.place, path(), "a key must be a word");
        if (const Node* earlier = map.find(key.text)) {
            const std::string line = std::to_string(earlier->key_place.line);
            const std::string at = path().empty() ? key.text : path() + '.' + key.text;
            return reader_.problem(key.place, at, "the key was set before, in line " + line + "; allowed is once");
        }
        value.key = key.text;
        value.key_place = key.place;
        // The parser's mark of nothing is whatever comes behind it.
        if (value.is(Node::Kind::null)) value.place = key.place;
        map.items.push_back(std::move(value));
    }

    // Of the innermost list or map that is being read.
    std::string path() const {
        std::string out;
        for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
            if (open_[i].node.is(Node::Kind::list)) {
                out += '[' + std::to_string(open_[i].node.items.size()) + ']';
            } else if (open_[i].key) {
                out += (out.empty() ? "" : ".") + open_[i].key->text;
            }
        }
        return out;
    }

    const std::string& file_;
    Reader& reader_;
    std::vector<Open> open_;  // outermost first
    std::map<YAML::anchor_t, Node> anchors_;
    std::optional<Node> root_;
    Place begins_at_;
    std::size_t nodes_ = 0;
};

}  // namespace

std::optional<Node> parse_yaml(const std::string& text, const std::string& file, Reader& reader) {
    const Place top{file, 1, 1};
    if (text.find('\0') != std::string::npos) {
        reader.problem(top, {}, "not a YAML text: it contains a zero byte");
        return std::nullopt;
    }
    Builder builder(file, reader);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        Node root = builder.take().value_or(Node());
        if (parser.HandleNextDocument(builder)) {
            reader.problem(builder.begins_at(), {},
                           "does not belong to the document before it; allowed is one YAML document");
            return std::nullopt;
        }
        if (root.is(Node::Kind::null)) {
            root = Node::map();
            root.place = top;
        }
        root.key_place = top;
        name_paths(root);
        if (root.is(Node::Kind::map)) return root;
        reader.problem(root, "the file must consist of keys and values, such as \"listeners: [...]\"");
    } catch (const YAML::Exception& error) {
        reader.problem(builder.place(error.mark), {}, "not valid YAML: " + escaped(error.msg, 200));
    }
    return std::nullopt;
}

}  // namespace pgsluice::config
