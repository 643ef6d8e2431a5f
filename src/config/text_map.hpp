// Maps from text to text. Values such as 64 or off are texts here, because PostgreSQL reads them, not YAML.
#pragma once

#include "change.hpp"
#include "node.hpp"
#include "reader.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::config {

struct TextMap {
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    std::string type() const { return "map of texts"; }
    void read(Reader& reader, const Node& node, Pairs& out) const;
    void read(Reader& reader, const Node& node, std::map<std::string, std::string>& out) const;
    // They go to servers, or say who is who.
    template <class Map>
    void change(Change& change, Map&) const {
        change.outcome = Change::Outcome::files_only;
    }
    Node print(const Pairs& pairs) const;
    Node print(const std::map<std::string, std::string>& pairs) const {
        return print(Pairs(pairs.begin(), pairs.end()));
    }
};

}  // namespace pgsluice::config
