// What an import has found so far, and where.
#pragma once

#include <pgsluice/importer/pgbouncer.hpp>

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pgsluice::importer {

struct Place {
    std::string file;
    int line = 0;
};

class Findings {
  public:
    void add(Weight weight, const Place& place, std::string option, std::string text) {
        Finding found{place.file, place.line, std::move(option), weight, std::move(text)};
        if (told_.insert(found.to_string()).second) found_.push_back(std::move(found));  // each once
    }
    std::vector<Finding> take() {
        told_.clear();
        return std::exchange(found_, {});
    }

  private:
    std::vector<Finding> found_;
    std::unordered_set<std::string> told_;
};

}  // namespace pgsluice::importer
