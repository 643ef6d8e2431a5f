// Keys as data. A Schema<T> lists the keys of one section: name, member, codec, when a change takes effect. Reading,
// printing and documentation tests all go through it, so that a key is described once.
#pragma once

#include "change.hpp"
#include "node.hpp"
#include "reader.hpp"
#include "suggest.hpp"

#include <pgsluice/config/keys.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::config {

template <class T>
struct Key {
    std::string name;
    bool is_required = false;
    bool is_settable = false;
    std::function<void(Reader&, const Node&, T&)> read;
    std::function<Node(const T&)> print;  // null: left out
    std::function<void(Change&, T&)> change;
    // What changes at a restart only gets its value of `in_force`; paths of what was different are added to `waiting`.
    std::function<void(const T& in_force, T& read, const std::string& prefix, std::vector<std::string>& waiting)> keep;
    std::function<void(const std::string& prefix, std::vector<KeyInfo>&)> list;

    Key required() && {
        is_required = true;
        return std::move(*this);
    }
    // SET of the console may change it, and all that is below it.
    Key settable() && {
        is_settable = true;
        return std::move(*this);
    }
    // Printed only where it says something, for keys that exclude each other.
    Key printed_if(std::function<bool(const T&)> says_something) && {
        print = [before = std::move(print), says_something = std::move(says_something)](const T& value) {
            return says_something(value) ? before(value) : Node();
        };
        return std::move(*this);
    }
    // A text or a map of texts that is printed as *** where something was filled in, since that may be a secret.
    // `filled_in` remembers it.
    Key hidden_if(bool T::*filled_in) && {
        read = [before = std::move(read), filled_in](Reader& reader, const Node& node, T& out) {
            before(reader, node, out);
            out.*filled_in = is_filled_in(node);
        };
        print = [before = std::move(print), filled_in](const T& value) {
            Node node = before(value);
            if (value.*filled_in) hide_texts(node);
            return node;
        };
        return std::move(*this);
    }
};

template <class T>
using Schema = std::vector<Key<T>>;

std::string yaml_text(const Node& scalar_or_flow);  // in print.cpp

// `member` is a pointer to member or a function from (const) T& to a reference.
template <class T, class Member, class Codec>
Key<T> key(const std::string& name, Member member, Codec codec, Changes changes) {
    Key<T> out;
    out.read = [=](Reader& reader, const Node& node, T& value) {
        codec.read(reader, node, std::invoke(member, value));
    };
    out.print = [=](const T& value) { return codec.print(std::invoke(member, value)); };
    out.change = [=](Change& change, T& value) {
        auto& at = std::invoke(member, value);
        if constexpr (requires { codec.change(change, at); }) {
            codec.change(change, at);
        } else if (!change.is_at_end()) {
            change.outcome = Change::Outcome::no_such_key;
        } else if (changes == Changes::restart) {
            change.outcome = Change::Outcome::restart_only;
        } else if (!change.is_settable) {
            change.outcome = Change::Outcome::files_only;
        } else {
            change.outcome = Change::Outcome::read;
            codec.read(change.reader, change.value, at);
        }
    };
    out.keep = [=](const T& in_force, T& read, const std::string& prefix, std::vector<std::string>& waiting) {
        const auto& before = std::invoke(member, in_force);
        auto& now = std::invoke(member, read);
        if constexpr (requires { codec.keep(before, now, prefix, waiting); }) {
            codec.keep(before, now, prefix + name, waiting);
        } else if (changes == Changes::restart && !same_value(codec.print(before), codec.print(now))) {
            now = before;
            waiting.push_back(prefix + name);
        }
    };
    out.list = [=](const std::string& prefix, std::vector<KeyInfo>& keys) {
        if constexpr (requires { codec.list(prefix, keys); }) {
            codec.list(prefix + name, keys);
        } else {
            const T defaults{};
            const Node value = codec.print(std::invoke(member, defaults));
            keys.push_back(
                {prefix + name, codec.type(), value.is(Node::Kind::null) ? "unset" : yaml_text(value), changes});
        }
    };
    out.name = name;
    return out;
}

// A section: its keys carry their own times of change.
template <class T, class Member, class Codec>
Key<T> section(const std::string& name, Member member, Codec codec) {
    return key<T>(name, member, codec, Changes::live);
}

// The keys of the map `node` into `out`. The node of a bad value leaves its default standing.
template <class T>
void read_map(Reader& reader, const Node& node, const Schema<T>& schema, T& out) {
    if (!node.is(Node::Kind::map)) return reader.problem(node, "must be a map of keys and values");
    std::vector<std::string> names;
    for (const auto& key : schema) {
        names.push_back(key.name);
        if (key.is_required && node.find(key.name) == nullptr)
            reader.problem(node, "needs the key \"" + key.name + '"');
    }
    for (const Node& item : node.items) {
        const auto key =
            std::find_if(schema.begin(), schema.end(), [&](const Key<T>& k) { return k.name == item.key; });
        if (key == schema.end()) {
            reader.problem_at_key(item, "unknown key" + suggestion(item.key, names));
        } else if (item.is(Node::Kind::null)) {
            reader.problem_at_key(item, "has no value; leave the key out for its default");
        } else {
            key->read(reader, item, out);
        }
    }
}

template <class T>
void change_map(Change& change, const Schema<T>& schema, T& out) {
    const auto name = change.next_key();
    const auto key = std::find_if(schema.begin(), schema.end(), [&](const Key<T>& k) { return k.name == name; });
    if (key == schema.end()) return;
    change.is_settable = change.is_settable || key->is_settable;
    key->change(change, out);
}

template <class T>
void keep_map(const Schema<T>& schema, const T& in_force, T& read, const std::string& path,
              std::vector<std::string>& waiting) {
    const std::string prefix = path.empty() ? path : path + '.';
    for (const auto& key : schema) key.keep(in_force, read, prefix, waiting);
}

template <class T>
Node print_map(const Schema<T>& schema, const T& value) {
    const T defaults{};
    Node map = Node::map();
    for (const auto& key : schema) {
        Node item = key.print(value);
        if (item.is(Node::Kind::null)) continue;
        item.is_default = !key.is_required && same_value(item, key.print(defaults));
        item.key = key.name;
        map.items.push_back(std::move(item));
    }
    return map;
}

// Codecs of structure. `schema` is a function, so that sections may be listed in any order.
template <class T>
struct Object {
    const Schema<T>& (*schema)();

    void read(Reader& reader, const Node& node, T& out) const { read_map(reader, node, schema(), out); }
    Node print(const T& value) const { return print_map(schema(), value); }
    void change(Change& change, T& out) const { change_map(change, schema(), out); }
    void keep(const T& in_force, T& read, const std::string& path, std::vector<std::string>& waiting) const {
        keep_map(schema(), in_force, read, path, waiting);
    }
    void list(const std::string& path, std::vector<KeyInfo>& keys) const {
        for (const auto& key : schema()) {
            const std::size_t before = keys.size();
            key.list(path.empty() ? path : path + '.', keys);
            for (std::size_t i = before; key.is_settable && i < keys.size(); ++i) keys[i].is_settable = true;
            if (key.is_required && keys.size() == before + 1) keys.back().default_value = "required";
        }
    }
};

// Every item of the file has its element, bad ones too: checks walk both side by side.
template <class Codec>
struct ListOf {
    Codec codec;

    std::string type() const { return "list of " + codec.type() + 's'; }

    template <class T>
    void read(Reader& reader, const Node& node, std::vector<T>& out) const {
        if (!node.is(Node::Kind::list)) return reader.problem(node, "must be a list, such as [ ... ]");
        for (const Node& item : node.items) {
            T& element = out.emplace_back();
            if (item.is(Node::Kind::null)) {
                reader.problem(item, "must not be empty");
            } else {
                codec.read(reader, item, element);
            }
        }
    }

    template <class T>
    Node print(const std::vector<T>& values) const {
        Node list = Node::list();
        for (const T& value : values) {
            if (Node item = codec.print(value); !item.is(Node::Kind::null)) list.items.push_back(std::move(item));
        }
        return list;
    }

    template <class T>
    void change(Change& change, std::vector<T>& out) const requires requires(T& item) {
        codec.change(change, item);
    }
    {
        if (const auto index = change.next_index(); index && *index < out.size()) codec.change(change, out[*index]);
    }

    void list(const std::string& path, std::vector<KeyInfo>& keys) const requires requires { codec.list(path, keys); }
    { codec.list(path + "[]", keys); }
};

// A map from names to sections, such as clusters; the name becomes the element's.
template <class T>
struct Named {
    const Schema<T>& (*schema)();

    void read(Reader& reader, const Node& node, std::vector<T>& out) const {
        if (!node.is(Node::Kind::map)) return reader.problem(node, "must be a map from names to sections");
        for (const Node& item : node.items) {
            T& element = out.emplace_back();
            element.name = item.key;
            if (item.key.empty()) reader.problem_at_key(item, "a name must not be empty");
            read_map(reader, item, schema(), element);
        }
    }
    Node print(const std::vector<T>& values) const {
        Node map = Node::map();
        for (const T& value : values) {
            Node item = print_map(schema(), value);
            item.key = value.name;
            map.items.push_back(std::move(item));
        }
        return map;
    }
    void change(Change& change, std::vector<T>& out) const {
        T* longest = nullptr;
        for (T& element : out) {
            const bool fits = change.is_next(element.name);
            if (fits && (longest == nullptr || element.name.size() > longest->name.size())) longest = &element;
        }
        if (longest == nullptr) return;
        change.take_name(longest->name);
        change_map(change, schema(), *longest);
    }
    void list(const std::string& path, std::vector<KeyInfo>& keys) const {
        Object<T>{schema}.list(path + ".NAME", keys);
    }
};

}  // namespace pgsluice::config
