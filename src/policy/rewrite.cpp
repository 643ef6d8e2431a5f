#include "rewrite.hpp"

#include "pattern_options.hpp"

#include <pgsluice/base/ascii.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace pgsluice::policy {
namespace {

constexpr std::int64_t memory_limit_bytes = 2 << 20;

}  // namespace

Rewrite::Rewrite() = default;
Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;
Rewrite::~Rewrite() = default;

std::variant<Rewrite, Rewrite::Error> Rewrite::compile(const config::PolicyRewrite& rewrite) {
    Rewrite made;
    made.edits_ = {rewrite.tables, rewrite.schemas, rewrite.limit};
    if (rewrite.pattern.empty()) return made;
    auto options = pattern_options(memory_limit_bytes);
    options.set_never_capture(false);  // the replacement may speak of groups
    made.pattern_ = std::make_unique<re2::RE2>(rewrite.pattern, options);
    if (!made.pattern_->ok()) return Error{"pattern", made.pattern_->error()};
    std::string problem;
    if (!made.pattern_->CheckRewriteString(rewrite.replacement, &problem)) return Error{"replacement", problem};
    made.replacement_ = rewrite.replacement;
    return made;
}

bool Rewrite::is_beyond_ascii() const {
    const auto is_beyond = [](const auto& renamed) { return !is_ascii(renamed.first) || !is_ascii(renamed.second); };
    return !is_ascii(replacement_) || (pattern_ != nullptr && !is_ascii(pattern_->pattern())) ||
           std::any_of(edits_.tables.begin(), edits_.tables.end(), is_beyond) ||
           std::any_of(edits_.schemas.begin(), edits_.schemas.end(), is_beyond);
}

std::variant<std::string, sql::Unparsable> Rewrite::apply(std::string_view text, sql::Reading reading) const {
    std::string out(text);
    if (pattern_ != nullptr) re2::RE2::GlobalReplace(&out, *pattern_, replacement_);
    if (edits_.empty()) return out;
    return sql::edited(out, edits_, reading);
}

}  // namespace pgsluice::policy
