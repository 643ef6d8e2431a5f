// One codec per kind of single value. A codec turns a Node into a value (reporting what is wrong and leaving the
// default) and a value into a Node; `type` is what documentation calls it. Schemas put codecs behind keys.
#pragma once

#include "node.hpp"
#include "reader.hpp"
#include "scalars.hpp"
#include "suggest.hpp"

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/secret.hpp>
#include <pgsluice/base/time.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::config {

using namespace std::chrono_literals;

// The text of a scalar; otherwise nullopt and a problem.
std::optional<std::string> scalar_text(Reader& reader, const Node& node, const std::string& expected);
// The same where quotes would make it a text: numbers, durations, true and false.
std::optional<std::string> plain_text(Reader& reader, const Node& node, const std::string& expected);

struct Duration {
    Milliseconds min = 1ms, max = std::chrono::hours(24 * 365);
    bool may_be_off = true;

    std::string type() const { return "duration"; }
    void read(Reader& reader, const Node& node, Milliseconds& out) const;
    Node print(Milliseconds value) const { return Node::scalar(duration_text(value)); }
};

// A duration that, left out, is the one above it.
struct DurationOverride {
    std::string type() const { return "duration"; }
    void read(Reader& reader, const Node& node, std::optional<Milliseconds>& out) const;
    Node print(const std::optional<Milliseconds>& value) const;  // null where left out
};

struct Size {
    std::uint64_t min, max;

    std::string type() const { return "size"; }
    void read(Reader& reader, const Node& node, std::uint64_t& out) const;
    Node print(std::uint64_t value) const { return Node::scalar(size_text(value)); }
};

// `zero` is what 0 means, where that is not a number like the others.
struct Number {
    std::uint64_t min, max;
    std::string zero = {};

    std::string type() const { return "number"; }
    template <std::unsigned_integral T>
    void read(Reader& reader, const Node& node, T& out) const {
        if (const auto value = read_number(reader, node)) out = static_cast<T>(*value);
    }
    Node print(std::uint64_t value) const { return Node::scalar(std::to_string(value)); }

  private:
    std::optional<std::uint64_t> read_number(Reader& reader, const Node& node) const;
};

// 0 stands for the word, which is what the file says.
struct NumberOr {
    std::string word;
    std::uint64_t max;

    std::string type() const { return "number or " + word; }
    void read(Reader& reader, const Node& node, std::uint32_t& out) const;
    Node print(std::uint32_t value) const { return Node::scalar(value == 0 ? word : std::to_string(value)); }
};

// "50%".
struct Percent {
    std::string type() const { return "percentage"; }
    void read(Reader& reader, const Node& node, std::uint32_t& out) const;
    Node print(std::uint32_t value) const { return Node::scalar(std::to_string(value) + '%'); }
};

struct Boolean {
    std::string type() const { return "true or false"; }
    void read(Reader& reader, const Node& node, bool& out) const;
    Node print(bool value) const { return Node::scalar(value ? "true" : "false"); }
};

// One that, left out, asks nothing.
struct MaybeBoolean {
    std::string type() const { return "true or false"; }
    void read(Reader& reader, const Node& node, std::optional<bool>& out) const {
        Boolean().read(reader, node, out.emplace());
    }
    Node print(std::optional<bool> value) const { return value ? Boolean().print(*value) : Node(); }
};

struct Text {
    bool may_be_empty = true;

    std::string type() const { return "text"; }
    void read(Reader& reader, const Node& node, std::string& out) const;
    Node print(const std::string& value) const { return Node::quoted_text(value); }
};

// A password: its text appears in no message and is printed as ***.
struct Password {
    std::string type() const { return "password"; }
    void read(Reader& reader, const Node& node, Secret& out) const;
    void read(Reader& reader, const Node& node, std::optional<Secret>& out) const;  // "" is nullopt
    Node print(const Secret& value) const {
        Node node = Node::quoted_text(value.empty() ? "" : "***");
        node.secret = &value;
        return node;
    }
    Node print(const std::optional<Secret>& value) const { return value ? print(*value) : Node::quoted_text(""); }
};

// A path, made absolute; "" is none. The file is looked at here, and read by whoever uses it.
struct Path {
    enum class Is : std::uint8_t { any, readable, secret, written };
    Is is = Is::any;

    std::string type() const { return "path"; }
    void read(Reader& reader, const Node& node, std::string& out) const;
    Node print(const std::string& value) const { return Node::quoted_text(value); }
};

// A path, or a word that stands for itself.
struct PathOr {
    std::string word;

    std::string type() const { return "path or " + word; }
    void read(Reader& reader, const Node& node, std::string& out) const {
        if (node.is(Node::Kind::scalar) && node.text == word) return void(out = word);
        Path().read(reader, node, out);
    }
    Node print(const std::string& value) const { return value == word ? Node::scalar(word) : Path().print(value); }
};

struct FileMode {
    std::string type() const { return "file mode"; }
    void read(Reader& reader, const Node& node, std::uint32_t& out) const;
    Node print(std::uint32_t mode) const;
};

struct IpAddress {
    bool may_be_empty = true;
    std::string type() const { return "IP address"; }
    void read(Reader& reader, const Node& node, std::string& out) const;
    Node print(const std::string& value) const { return Node::quoted_text(value); }
};

struct NetworkBlock {
    std::string type() const { return "network"; }
    void read(Reader& reader, const Node& node, Network& out) const;
    Node print(const Network& value) const { return Node::quoted_text(value.to_string()); }
};

// One of a few words.
template <class Enum>
struct Words {
    std::vector<std::pair<std::string, Enum>> words;

    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& word : words) out.push_back(word.first);
        return out;
    }
    std::string type() const { return one_of(names()); }
    void read(Reader& reader, const Node& node, Enum& out) const {
        const auto text = scalar_text(reader, node, "must be a word: " + one_of(names()));
        if (!text) return;
        for (const auto& [word, value] : words) {
            if (word == *text) return void(out = value);
        }
        reader.problem(node, shown(node) + " is unknown; allowed is " + one_of(names()));
    }
    Node print(Enum value) const {
        for (const auto& word : words) {
            if (word.second == value) return Node::scalar(word.first);
        }
        return {};
    }
};

}  // namespace pgsluice::config
