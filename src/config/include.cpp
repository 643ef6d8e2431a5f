#include "include.hpp"

#include "interpolate.hpp"
#include "parse.hpp"

#include <glob.h>

#include <algorithm>
#include <set>
#include <vector>

namespace pgsluice::config {
namespace {

constexpr std::size_t most_files = 1000;
constexpr int deepest = 8;

void merge(Node& into, Node&& from, Reader& reader) {
    for (Node& item : from.items) {
        Node* present = into.find(item.key);
        if (present == nullptr) {
            into.items.push_back(std::move(item));
        } else if (present->is(Node::Kind::list) && item.is(Node::Kind::list)) {
            std::move(item.items.begin(), item.items.end(), std::back_inserter(present->items));
        } else if (present->is(Node::Kind::map) && item.is(Node::Kind::map)) {
            merge(*present, std::move(item), reader);
        } else {
            reader.problem_at_key(item, "the key was set before, in " + present->key_place.file + ":" +
                                            std::to_string(present->key_place.line) + "; allowed is once");
        }
    }
}

std::vector<std::string> matches(const std::string& pattern) {
    std::vector<std::string> found;
    glob_t result{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &result) == 0) {
        found.assign(result.gl_pathv, result.gl_pathv + result.gl_pathc);
    }
    ::globfree(&result);
    std::sort(found.begin(), found.end());
    return found;
}

class Includes {
  public:
    explicit Includes(Reader& reader) : reader_(reader) {}

    std::optional<Node> read(const std::string& path, const Node& asked_by, int depth) {
        const auto text = reader_.contents(path, asked_by, Reader::Holds::nothing_secret, largest_file_bytes);
        if (!text) return std::nullopt;
        auto root = parse_yaml(*text, path, reader_);
        if (!root) return std::nullopt;
        interpolate(*root, reader_);
        seen_.insert(place_of_file(path));
        take_in_includes(*root, depth);
        return root;
    }

    bool complete() const { return complete_; }

  private:
    void take_in_includes(Node& root, int depth) {
        const auto key = std::find_if(root.items.begin(), root.items.end(), [](auto& n) { return n.key == "include"; });
        if (key == root.items.end()) return;
        const Node include = std::move(*key);
        root.items.erase(key);
        if (!include.is(Node::Kind::list)) {
            reader_.problem(include, "must be a list of file names or patterns, such as [conf.d/*.yaml]");
            return;
        }
        for (const Node& pattern : include.items) take_in(pattern, root, depth);
    }

    void take_in(const Node& pattern, Node& root, int depth) {
        if (!pattern.is(Node::Kind::scalar) || pattern.text.empty()) {
            reader_.problem(pattern, "must be a file name or a pattern, such as conf.d/*.yaml");
            return;
        }
        if (depth == deepest) {
            reader_.problem(pattern, "includes nest deeper than " + std::to_string(deepest) + " files");
            return;
        }
        const std::string path = reader_.absolute(pattern.text);
        const bool is_pattern = path.find_first_of("*?[") != std::string::npos;
        for (const std::string& file : is_pattern ? matches(path) : std::vector{path})
            take_in_file(file, pattern, root, depth);
    }

    void take_in_file(const std::string& file, const Node& pattern, Node& root, int depth) {
        if (seen_.contains(place_of_file(file))) {
            reader_.problem(pattern, file + " is included already; allowed is once, and not from itself");
            return;
        }
        if (seen_.size() >= most_files) {
            if (!std::exchange(too_many_, true)) {
                reader_.problem(pattern, "more than " + std::to_string(most_files) + " files are included");
            }
            return;
        }
        auto included = read(file, pattern, depth + 1);
        if (included) {
            merge(root, std::move(*included), reader_);
        } else {
            complete_ = false;
        }
    }

    Reader& reader_;
    std::set<std::string> seen_;
    bool complete_ = true, too_many_ = false;
};

}  // namespace

std::optional<Document> read_with_includes(Reader& reader) {
    Node start;
    start.place.file = reader.main_file();
    Includes includes(reader);
    auto root = includes.read(reader.main_file(), start, 0);
    if (!root) return std::nullopt;
    name_paths(*root);
    return Document{std::move(*root), includes.complete()};
}

}  // namespace pgsluice::config
