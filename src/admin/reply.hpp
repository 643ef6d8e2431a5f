// Tables as messages.
#pragma once

#include <pgsluice/admin/table.hpp>
#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <span>

namespace pgsluice::admin {

// `formats`: none for text, one for all columns, or one for each; 1 is binary.
void write_row_description(Bytes& out, const Columns& columns, std::span<const std::int16_t> formats);
void write_row(Bytes& out, const Columns& columns, const Row& row, std::span<const std::int16_t> formats);

}  // namespace pgsluice::admin
