// A text and the picture of its facts (facts_picture.hpp).
#pragma once

#include <vector>

namespace pgsluice::sql {

struct FactsCase {
    const char* sql;
    const char* picture;
};

}  // namespace pgsluice::sql
