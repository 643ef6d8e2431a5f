// What the policies say about one statement. A plain value without owned memory, so that letting a statement pass
// allocates nothing.
#pragma once

#include <pgsluice/config/policy_effect.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgsluice::policy {

using RuleIndex = std::uint32_t;  // position in config::Config::policies; counters are kept by it

// Rules that matched without deciding: those in shadow mode and those whose action is `log`, in their order. The first
// of them, as many as there is room for.
class Hits {
  public:
    static constexpr std::size_t capacity = config::most_noting_policies;

    void add(RuleIndex rule) {
        if (count_ < capacity) rules_[count_++] = rule;
    }
    const RuleIndex* begin() const { return rules_.data(); }
    const RuleIndex* end() const { return rules_.data() + count_; }
    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }

  private:
    std::array<RuleIndex, capacity> rules_{};
    std::uint32_t count_ = 0;
};

enum class Action : std::uint8_t { allow, block, rewrite, limit };

struct Limit;

struct Verdict {
    Action action = Action::allow;
    std::optional<RuleIndex> rule;          // the enforcing rule that decided; none: nothing matched
    const wire::SqlError* error = nullptr;  // what a blocked statement is answered with; lives as long as the engine
    const Limit* limit = nullptr;           // under which a limited one passes; likewise
    bool is_unparsable = false;             // it is blocked only since the rule cannot be told from it
    Hits hits;

    bool blocks() const { return action == Action::block; }
};

}  // namespace pgsluice::policy
