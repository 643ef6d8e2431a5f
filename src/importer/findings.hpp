// What an import has found so far, and where.
#pragma once

#include <pgsluice/importer/pgbouncer.hpp>

#include <string>
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
        found_.push_back({place.file, place.line, std::move(option), weight, std::move(text)});
    }
    std::vector<Finding> take() { return std::move(found_); }

  private:
    std::vector<Finding> found_;
};

}  // namespace pgsluice::importer
