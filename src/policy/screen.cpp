#include "screen.hpp"

#include "pattern_options.hpp"

#include <re2/set.h>

#include <utility>

namespace pgsluice::policy {
namespace {

constexpr std::int64_t memory_limit_bytes = 8 << 20;
// On hostile text a set of patterns makes a new state with every byte, which costs far more than a pattern's own way
// out (the NFA); longer text is left to the patterns.
constexpr std::size_t longest_text_bytes = 64 << 10;

}  // namespace

struct Screen::Set {
    RE2::Set patterns;
};

Screen::Screen(const std::vector<std::string>& patterns) {
    if (patterns.size() < 2) return;
    auto set = std::make_unique<Set>(Set{RE2::Set(pattern_options(memory_limit_bytes), RE2::UNANCHORED)});
    for (const std::string& pattern : patterns) {
        if (set->patterns.Add(pattern, nullptr) < 0) return;
    }
    if (set->patterns.Compile()) set_ = std::move(set);  // else they do not fit together
}

Screen::Screen() = default;
Screen::Screen(Screen&&) noexcept = default;
Screen& Screen::operator=(Screen&&) noexcept = default;
Screen::~Screen() = default;

bool Screen::may_match(std::string_view text) const {
    if (set_ == nullptr || text.size() > longest_text_bytes) return true;
    RE2::Set::ErrorInfo error{};
    return set_->patterns.Match(re2::StringPiece(text.data(), text.size()), nullptr, &error) ||
           error.kind != RE2::Set::kNoError;
}

}  // namespace pgsluice::policy
