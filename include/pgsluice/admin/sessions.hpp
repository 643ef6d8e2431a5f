// The clients that are here, as JSON: what /api/sessions answers. docs/operations.md describes the members.
#pragma once

#include <pgsluice/admin/view.hpp>

#include <cstdint>
#include <string>

namespace pgsluice::admin {

// As many as the overview shows of its lists, those with the oldest transactions first. `now`: microseconds since 1970.
std::string sessions(const View& view, std::int64_t now);

}  // namespace pgsluice::admin
