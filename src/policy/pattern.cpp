#include "pattern.hpp"

#include "pattern_options.hpp"

namespace pgsluice::policy {
namespace {

// For one pattern's program and its caches of states. RE2 refuses a pattern whose program does not fit, and when a
// cache is full it starts that cache again.
constexpr std::int64_t memory_limit_bytes = 2 << 20;

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> program) : program_(std::move(program)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::variant<Pattern, std::string> Pattern::compile(std::string_view text) {
    auto program =
        std::make_unique<RE2>(re2::StringPiece(text.data(), text.size()), pattern_options(memory_limit_bytes));
    if (!program->ok()) return program->error();
    return Pattern(std::move(program));
}

bool Pattern::found_in(std::string_view text) const {
    const re2::StringPiece piece(text.data(), text.size());
    return program_->Match(piece, 0, piece.size(), RE2::UNANCHORED, nullptr, 0);
}

}  // namespace pgsluice::policy
