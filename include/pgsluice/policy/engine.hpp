// The policy hook. Built once from the configured policies; then, in two steps, what can match a session
// (for_principal) and what is said about each of its statements (judge). It decides only: the session answers, counts
// and logs.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/rules.hpp>
#include <pgsluice/policy/statement.hpp>
#include <pgsluice/policy/verdict.hpp>

#include <cstddef>
#include <memory>
#include <optional>
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

// Immutable: any thread may use it at any time. Copies are the same engine. (Threads that share one share its compiled
// patterns' state caches, which RE2 guards with a reader lock; a worker for whom that matters builds its own.)
class Engine {
  public:
    // An engine without rules.
    Engine();

    // All errors at once, or the engine. `on_unparsable`: what becomes of a text that cannot be parsed where a rule
    // which blocks, rewrites or limits would have to look at what it does.
    static std::variant<Engine, std::vector<BuildError>> build(
        const std::vector<config::Policy>& policies, config::OnUnparsable on_unparsable = config::OnUnparsable::block);

    // For a session when its route is known, and again when a fact changes (application_name by SET).
    Rules for_principal(const Principal& principal) const;

    // `rules` came from this engine. Shadow rules behind the rule that decides are not reached, as they would not be if
    // they were enforced.
    // `behind`: only rules behind that one, and none that rewrites: what has been rewritten is still to be judged by
    // them.
    Verdict judge(const Rules& rules, const Statement& statement, Shortlists& shortlists,
                  std::optional<RuleIndex> behind = std::nullopt) const;
    // The rules of the list that statements with these facts may match.
    std::vector<RuleIndex> shortlist(const Rules& rules, const sql::Facts& facts) const;

    // What the statement becomes by the rule, whose verdict was Action::rewrite; or the error that it is answered with.
    std::variant<std::string, wire::SqlError> rewrite(RuleIndex rule, std::string_view text,
                                                      sql::Reading reading) const;
    // Whether that rule looks for, or puts there, what is not ASCII, in UTF-8.
    bool rewrites_beyond_ascii(RuleIndex rule) const;
    // For each rule, in their order, the key below `when` that the statement or who sends it does not meet; empty where
    // it matches.
    std::vector<std::string> explain(const Principal& principal, const Statement& statement) const;

    const std::string& name(RuleIndex rule) const;

  private:
    struct Program;
    std::shared_ptr<const Program> program_;
};

}  // namespace pgsluice::policy
