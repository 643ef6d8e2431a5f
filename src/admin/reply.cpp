#include "reply.hpp"

#include <pgsluice/wire/writer.hpp>

#include <charconv>
#include <string>

namespace pgsluice::admin {
namespace {

std::int16_t format_of(std::size_t column, std::span<const std::int16_t> formats) {
    if (formats.empty()) return 0;
    return formats.size() == 1 ? formats[0] : (column < formats.size() ? formats[column] : std::int16_t{0});
}

std::int16_t size_of(std::int32_t type) {
    return type == 23 ? std::int16_t{4} : type == 20 ? std::int16_t{8} : std::int16_t{-1};
}

void append(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

// As numeric_send() in PostgreSQL: groups of four decimal digits, the first with a weight. Ours are never negative and
// have no fraction.
std::string numeric(std::uint64_t value) {
    std::vector<std::uint64_t> groups;
    for (; value != 0; value /= 10'000) groups.insert(groups.begin(), value % 10'000);
    std::string out;
    append(out, groups.size(), 2);
    append(out, groups.empty() ? 0 : groups.size() - 1, 2);
    append(out, 0, 2);  // sign
    append(out, 0, 2);  // digits behind the point
    for (const std::uint64_t group : groups) append(out, group, 2);
    return out;
}

std::string in_binary(const std::string& text, std::int32_t type) {
    if (type == 25 || type == 17) return text;
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (type == 1700) return numeric(value);
    std::string out;
    append(out, value, size_of(type));
    return out;
}

}  // namespace

void write_row_description(Bytes& out, const Columns& columns, std::span<const std::int16_t> formats) {
    wire::Writer writer(out);
    writer.begin(wire::BackendTag::row_description).int16(static_cast<std::int16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        writer.string(columns[i].name).int32(0).int16(0).int32(columns[i].type);
        writer.int16(size_of(columns[i].type)).int32(-1).int16(format_of(i, formats));
    }
    writer.end();
}

void write_row(Bytes& out, const Columns& columns, const Row& row, std::span<const std::int16_t> formats) {
    wire::Writer writer(out);
    writer.begin(wire::BackendTag::data_row).int16(static_cast<std::int16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!row[i]) {
            writer.int32(-1);
            continue;
        }
        const std::string value = format_of(i, formats) == 1 ? in_binary(*row[i], columns[i].type) : *row[i];
        writer.int32(static_cast<std::int32_t>(value.size())).bytes(value);
    }
    writer.end();
}

}  // namespace pgsluice::admin
