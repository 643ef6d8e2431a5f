#include <pgsluice/base/ascii.hpp>
#include <pgsluice/protocol/statement.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace pgsluice::protocol {
namespace {

// Multiply-and-fold over eight bytes at a time, keyed by the seed: fast, and its collisions cannot be computed in
// advance.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t mix(std::uint64_t state, ByteView bytes, std::uint64_t seed) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
    state ^= fold(bytes.size() ^ odd, seed | 1);
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        state = fold(state ^ word ^ odd, seed ^ word);
        bytes.remove_prefix(8);
    }
    std::uint64_t tail = 0;
    if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());  // of nothing, data() may be nullptr
    return fold(state ^ tail ^ odd, seed ^ ~tail);
}

template <class T>
ByteView bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string name_of(std::uint64_t high, std::uint64_t low) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string name(reserved_prefix);
    for (const std::uint64_t half : {high, low}) {
        for (int shift = 60; shift >= 0; shift -= 4) name += digits[half >> shift & 0xF];
    }
    return name;
}

}  // namespace

Statement::Statement(StatementCache& owner, ByteView statement_text, ByteView types, Environment where,
                     std::string name, std::size_t hash)
    : text(statement_text),
      parameter_types(types),
      environment(where),
      server_name(std::move(name)),
      nature(owner.judge_ == nullptr ? std::uint8_t{0} : owner.judge_(statement_text)),
      hash_(hash),
      cache_(owner) {}

StatementRef StatementCache::intern(ByteView text, ByteView parameter_types, Environment environment) {
    const std::array<std::uint64_t, 3> world{environment.settings, environment.schema_changes, environment.parse};
    const auto digest = [&](std::uint64_t state, std::uint64_t seed) {
        return mix(mix(mix(state, text, seed), parameter_types, seed), bytes_of(world), seed);
    };
    const std::uint64_t high = digest(seed_.a, seed_.b);
    const Key key{text, parameter_types, environment, high};
    if (const auto found = statements_.find(key); found != statements_.end()) return StatementRef(*found);
    const std::uint64_t low = digest(seed_.b, ~seed_.a);
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): owned by its references, freed by the last of them
    auto* made = new Statement(*this, text, parameter_types, environment, name_of(high, low), high);
    statements_.insert(made);
    return StatementRef(made);
}

std::uint64_t StatementCache::then(std::uint64_t before, ByteView step) const {
    return mix(before ^ seed_.b, step, seed_.a);
}

std::uint64_t StatementCache::unshared() {
    const std::uint64_t number = next_unshared_++;
    return then(~seed_.a, bytes_of(number));
}

std::uint64_t StatementCache::result_of(ByteView row_description) const {
    constexpr std::size_t table_and_column = 6, type_length_modifier = 10, format = 2;
    constexpr std::size_t count = 2;
    std::uint64_t digest = then(0, prefix(row_description, count));
    ByteView rest = without_prefix(row_description, std::min(count, row_description.size()));
    while (!rest.empty()) {
        const std::size_t name = rest.find('\0');
        if (name == ByteView::npos || rest.size() - name - 1 < table_and_column + type_length_modifier + format)
            return Description::any_result;
        const bool is_ascii =
            std::none_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(name), is_beyond_ascii);
        digest = then(digest, is_ascii ? prefix(rest, name) : ByteView());
        rest.remove_prefix(name + 1 + table_and_column);
        digest = then(digest, prefix(rest, type_length_modifier));
        rest.remove_prefix(type_length_modifier + format);
    }
    return digest > Description::any_result ? digest : Description::any_result;
}

void intrusive_ptr_add_ref(Statement* statement) {
    ++statement->references_;
}

void intrusive_ptr_release(Statement* statement) {
    if (--statement->references_ > 0) return;
    statement->cache_.statements_.erase(statement);
    delete statement;  // NOLINT(cppcoreguidelines-owning-memory)
}

}  // namespace pgsluice::protocol
