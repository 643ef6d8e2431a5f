#include "explain.hpp"

#include "explain_path.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/config/policy_effect.hpp>
#include <pgsluice/insight/query_text.hpp>
#include <pgsluice/sql/comment_tags.hpp>
#include <pgsluice/sql/facts.hpp>

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <variant>

namespace pgsluice::daemon {
namespace {

using Out = std::back_insert_iterator<std::string>;

template <class Things, class Show>
std::string joined(const Things& things, Show show) {
    std::string out;
    for (const auto& thing : things) {
        const std::string text = show(thing);
        if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
    }
    return out.empty() ? "none" : out;
}

std::string qualified(const std::string& qualifier, const std::string& name) {
    return qualifier.empty() ? name : qualifier + '.' + name;
}

void line(Out out, std::string_view label, std::string_view value) {
    fmt::format_to(out, "{:<16}{}\n", label, in_one_line(value));
}

void print_facts(Out out, const sql::Facts& facts) {
    const auto& names = sql::kind_names();
    std::vector<std::string> kinds;
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if (facts.kinds[bit]) kinds.emplace_back(names[bit]);
    }
    const auto relations = [&](auto is_meant) {
        return joined(facts.relations, [&](const sql::Relation& each) {
            return is_meant(each) ? qualified(each.schema, each.name) : std::string();
        });
    };
    line(out, "statements",
         fmt::format("{}: {}", facts.statements, joined(kinds, [](const auto& each) { return each; })));
    line(out, "reads", relations([](const sql::Relation& each) { return each.is_read; }));
    line(out, "writes", relations([](const sql::Relation& each) { return each.is_written; }));
    line(out, "names", relations([](const sql::Relation& each) { return !each.is_read && !each.is_written; }));
    line(out, "functions", joined(facts.functions, [](const auto& each) { return qualified(each.schema, each.name); }));
    line(out, "columns", joined(facts.columns, [](const auto& each) { return qualified(each.relation, each.name); }));
    std::vector<std::string> notes;
    if (facts.without_where) notes.emplace_back("without WHERE");
    if (facts.without_limit) notes.emplace_back("without LIMIT");
    if (facts.locks_rows) notes.emplace_back("locks rows");
    notes.emplace_back(facts.may_write ? "may write" : "only reads");
    line(out, "notes", joined(notes, [](const auto& each) { return each; }));
    line(out, "parameters", std::to_string(facts.parameters));
    line(out, "fingerprint", insight::FingerprintText(facts.fingerprint).view());
    line(out, "normalized", facts.normalized);
}

std::string_view word_of(const config::Policy& policy) {
    return policy.mode == config::PolicyMode::shadow ? name_of(policy.mode) : name_of(policy.action);
}

// A text that rules are asked about: as it came, or as a rewrite has made it.
struct Asked {
    std::vector<std::string> unmet;  // by rule
    UnknownPath path;
    bool is_parsed;
};

// Rules behind a rewrite see what it makes: `rewritten`, or nullptr where it makes nothing that goes on.
void print_policies(Out out, const config::Config& config, const policy::Verdict& verdict, const Asked& asked,
                    const Asked* rewritten) {
    const bool is_rewrite = verdict.rule && verdict.action == policy::Action::rewrite;
    const bool ends =
        verdict.rule && (config::ends_search(config.policies[*verdict.rule]) || (is_rewrite && rewritten == nullptr));
    for (std::size_t i = 0; i < config.policies.size(); ++i) {
        const config::Policy& policy = config.policies[i];
        const bool is_behind = is_rewrite && i > *verdict.rule && rewritten != nullptr;
        const Asked& text = is_behind ? *rewritten : asked;
        const std::string& unmet = text.unmet[i];
        std::string why = unmet.empty() ? "matches" : "no match: when." + unmet;
        if (ends && i > *verdict.rule)
            why = "not reached";
        else if (verdict.rule && i == *verdict.rule)
            why = verdict.is_unparsable ? "decides, since it cannot be told" : "decides";
        else if (unmet.empty() && config::decides(policy) && !text.is_parsed)
            why = "passed over, since it cannot be told";
        if (text.is_parsed && why != "not reached") why += text.path.note(i, policy, unmet);
        fmt::format_to(out, "  {:<8}{:<32}{}\n", word_of(policy), in_one_line(policy.name), why);
    }
}

struct Read {
    std::shared_ptr<const sql::Facts> facts;  // nullptr where it is not parsed
    std::string why_not;
};

Read read(const Snapshot& snapshot, const ExplainRequest& request, const std::string& sql) {
    if (sql.size() > snapshot.config.limits.parse_inline) return {nullptr, "it is longer than limits.parse_inline"};
    auto result = sql::read_facts(sql, {.standard_conforming_strings = request.standard_conforming_strings});
    if (auto* unparsable = std::get_if<sql::Unparsable>(&result)) return {nullptr, std::move(unparsable->why)};
    return {std::make_shared<const sql::Facts>(std::move(std::get<sql::Facts>(result))), {}};
}

}  // namespace

Explained explain(const Snapshot& snapshot, const ExplainRequest& request) {
    Explained explained;
    const Out out(explained.text);
    const config::Route* route = request.route.empty()
                                     ? snapshot.routes.choose({.database = request.database,
                                                               .user = request.user,
                                                               .application_name = request.application,
                                                               .sni = {},
                                                               .address = request.address})
                                     : snapshot.route(request.route);
    if (route == nullptr && !request.route.empty()) {
        explained.text = "there is no route " + in_one_line(request.route) + '\n';
        explained.knows_route = false;
        return explained;
    }
    if (route == nullptr) {
        line(out, "route", "none takes this client");
        explained.has_route = false;
        return explained;
    }
    line(out, "route", route->name);
    const auto [facts, why_not] = read(snapshot, request, request.sql);
    if (facts == nullptr)
        line(out, "not parsed", why_not);
    else
        print_facts(out, *facts);
    for (const sql::CommentTag& tag : sql::comment_tags(request.sql)) line(out, "tag", tag.key + " = " + tag.value);

    const policy::Engine& engine = snapshot.rulebook->policies;
    const policy::Principal principal{request.user, request.database, request.application, route->name,
                                      request.address};
    const std::optional<std::string> search_path = path_of(request.search_path, *route);
    const GivenPath path(search_path);
    const policy::Statement statement{.text = request.sql,
                                      .facts = &facts,
                                      .in_transaction = request.in_transaction,
                                      .path = &path,
                                      .server_user = route->user.empty() ? request.user : route->user};
    policy::Shortlists shortlists;
    const auto asked_about = [&](const policy::Statement& text) {
        return Asked{engine.explain(principal, text), UnknownPath(engine, principal, text), *text.facts != nullptr};
    };
    const policy::Verdict verdict = engine.judge(engine.for_principal(principal), statement, shortlists);
    const bool is_rewrite = !verdict.blocks() && verdict.action == policy::Action::rewrite;
    std::variant<std::string, wire::SqlError> made;
    if (is_rewrite)
        made = engine.rewrite(*verdict.rule, request.sql,
                              {.standard_conforming_strings = request.standard_conforming_strings});
    const auto* becomes = is_rewrite ? std::get_if<std::string>(&made) : nullptr;
    const Read changed = becomes != nullptr ? read(snapshot, request, *becomes) : Read();
    policy::Statement rewritten = statement;
    if (becomes != nullptr) {
        rewritten.text = *becomes;
        rewritten.facts = &changed.facts;
    }
    const std::optional<Asked> behind_rewrite =
        becomes != nullptr ? std::optional<Asked>(asked_about(rewritten)) : std::nullopt;
    if (!snapshot.config.policies.empty()) fmt::format_to(out, "policies\n");
    print_policies(out, snapshot.config, verdict, asked_about(statement), behind_rewrite ? &*behind_rewrite : nullptr);
    explained.blocks = verdict.blocks();
    if (verdict.blocks()) {
        line(out, "verdict",
             fmt::format("blocked by {}: ERROR {} {}", engine.name(*verdict.rule), verdict.error->code(),
                         verdict.error->message));
    } else if (is_rewrite && becomes == nullptr) {
        explained.blocks = true;
        line(out, "verdict", "could not be rewritten by " + engine.name(*verdict.rule));
        line(out, "error", std::get<wire::SqlError>(made).detail);
    } else if (is_rewrite) {
        line(out, "verdict", "rewritten by " + engine.name(*verdict.rule));
        line(out, "becomes", *becomes);
        const policy::Verdict behind =
            engine.judge(engine.for_principal(principal), rewritten, shortlists, verdict.rule);
        explained.blocks = behind.blocks();
        if (behind.rule) line(out, behind.blocks() ? "then blocked by" : "then under", engine.name(*behind.rule));
    } else if (verdict.action == policy::Action::limit) {
        line(out, "verdict", "passes with limits of " + engine.name(*verdict.rule));
    } else {
        line(out, "verdict", verdict.rule ? "passes by " + engine.name(*verdict.rule) : "passes: no policy decides");
    }
    return explained;
}

}  // namespace pgsluice::daemon
