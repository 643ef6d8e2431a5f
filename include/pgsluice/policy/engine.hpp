// The policy hook. Built once from the configured policies; then, in two steps, what can match a session
// (for_principal) and what is said about each of its statements (judge). It decides only: the session answers, counts
// and logs.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/rules.hpp>
#include <pgsluice/policy/verdict.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgsluice::policy {

// Something wrong with a policy, to be shown with its line in the configuration.
struct BuildError {
    std::size_t policy;  // position in the list
    std::string key;     // below the policy, e.g. "when.pattern"
    std::string text;
};

// Immutable: any thread may use it at any time. (Threads that share one share its compiled patterns' state caches,
// which RE2 guards with a reader lock; a worker for whom that matters builds its own.)
class Engine {
  public:
    // An engine without rules.
    Engine();
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    ~Engine();

    // All errors at once, or the engine.
    static std::variant<Engine, std::vector<BuildError>> build(const std::vector<config::Policy>& policies);

    // For a session when its route is known, and again when a fact changes (application_name by SET).
    Rules for_principal(const Principal& principal) const;

    // `rules` came from this engine. Shadow rules behind the rule that decides are not reached, as they would not be if
    // they were enforced.
    Verdict judge(const Rules& rules, std::string_view text) const;

    const std::string& name(RuleIndex rule) const;

  private:
    struct Program;
    std::unique_ptr<const Program> program_;
};

}  // namespace pgsluice::policy
