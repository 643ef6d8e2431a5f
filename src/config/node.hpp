// A YAML document as plain data that knows where each value stands. Includes, interpolation, reading and printing all
// work on it, so that yaml-cpp is seen by parse.cpp alone.
#pragma once

#include <pgsluice/base/secret.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::config {

struct Place {
    std::string file;
    int line = 1, column = 1;
};

struct Node {
    enum class Kind : std::uint8_t { null, scalar, list, map };
    Kind kind = Kind::null;
    std::string text;     // of a scalar
    bool quoted = false;  // a scalar in quotes, so a text whatever it looks like
    bool interpolated =
        false;  // something was filled in: the text may be a secret, and quotes say nothing about its type
    std::vector<Node> items;  // of a list; of a map with their keys, in the order of the file
    std::string key;          // inside a map
    // Of a configuration that is printed: the password that *** stands for (the configuration's own), and whether the
    // value is what leaving the key out means.
    const Secret* secret = nullptr;
    bool is_default = false;
    Place place, key_place;
    std::string path;  // routes[0].pool.size

    bool is(Kind wanted) const { return kind == wanted; }
    const Node* find(std::string_view wanted) const;  // the entry of a map; nullptr where there is none
    Node* find(std::string_view wanted);

    static Node scalar(std::string text) { return make(Kind::scalar, std::move(text), false); }
    static Node quoted_text(std::string text) { return make(Kind::scalar, std::move(text), true); }
    static Node list() { return make(Kind::list, {}, false); }
    static Node map() { return make(Kind::map, {}, false); }

  private:
    static Node make(Kind kind, std::string text, bool quoted);
};

// Whether both say the same, wherever they stand.
bool same_value(const Node& a, const Node& b);
// Whether something was filled in here or below.
bool is_filled_in(const Node& node);
// *** in place of each text here or below.
void hide_texts(Node& node);

// Writes node.path into every node below `node`, whose own path stands.
void name_paths(Node& node);

}  // namespace pgsluice::config
