#include "codecs.hpp"
#include "schemas.hpp"
#include "text_map.hpp"

namespace pgsluice::config {
namespace {

const Schema<PolicyCondition>& condition_schema() {
    using T = PolicyCondition;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("pattern", &T::pattern, Text{}, live),
        key<T>("routes", &T::routes, ListOf<Text>{{false}}, live),
        key<T>("databases", &T::databases, ListOf<Text>{{false}}, live),
        key<T>("users", &T::users, ListOf<Text>{{false}}, live),
        key<T>("applications", &T::applications, ListOf<Text>{{false}}, live),
        key<T>("from", &T::from, ListOf<NetworkBlock>{}, live),
        key<T>("statements", &T::statements, ListOf<Text>{{false}}, live),
        key<T>("tables", &T::tables, ListOf<Text>{{false}}, live),
        key<T>("reads", &T::reads, ListOf<Text>{{false}}, live),
        key<T>("writes", &T::writes, ListOf<Text>{{false}}, live),
        key<T>("functions", &T::functions, ListOf<Text>{{false}}, live),
        key<T>("columns", &T::columns, ListOf<Text>{{false}}, live),
        key<T>("without_where", &T::without_where, Boolean{}, live),
        key<T>("without_limit", &T::without_limit, Boolean{}, live),
        key<T>("in_transaction", &T::in_transaction, MaybeBoolean{}, live),
        key<T>("fingerprints", &T::fingerprints, ListOf<Text>{{false}}, live),
        key<T>("tags", &T::tags, TextMap{}, live),
    };
    return schema;
}

constexpr std::uint64_t most_rows = 1'000'000'000;

const Schema<PolicyRewrite>& rewrite_schema() {
    using T = PolicyRewrite;
    using enum Changes;
    static const Schema<T> schema{
        key<T>("pattern", &T::pattern, Text{}, live),
        key<T>("replacement", &T::replacement, Text{}, live),
        key<T>("tables", &T::tables, TextMap{}, live),
        key<T>("schemas", &T::schemas, TextMap{}, live),
        key<T>("limit", &T::limit, Number{0, most_rows, "none"}, live),
    };
    return schema;
}

const Schema<PolicyLimit>& limit_schema() {
    using T = PolicyLimit;
    using enum Changes;
    constexpr std::uint64_t most_at_once = 1'000'000;
    const Words<LimitPer> counted_by{{{"rule", LimitPer::rule},
                                      {"user", LimitPer::user},
                                      {"application", LimitPer::application},
                                      {"fingerprint", LimitPer::fingerprint}}};
    const Words<LimitExcess> excess{{{"refuse", LimitExcess::refuse}, {"queue", LimitExcess::queue}}};
    static const Schema<T> schema{
        key<T>("max_duration", &T::max_duration, Duration{}, live),
        key<T>("max_rows", &T::max_rows, Number{0, most_rows, "none"}, live),
        key<T>("max_bytes", &T::max_bytes, Size{0, std::uint64_t{1} << 40}, live),
        key<T>("concurrency", &T::concurrency, Number{0, most_at_once, "none"}, live),
        key<T>("rate", &T::rate, Number{0, most_at_once, "none"}, live),
        key<T>("per", &T::per, counted_by, live),
        key<T>("excess", &T::excess, excess, live),
    };
    return schema;
}

}  // namespace

const Schema<Policy>& policy_schema() {
    using T = Policy;
    using enum Changes;
    const Words<PolicyAction> actions{{{"allow", PolicyAction::allow},
                                       {"block", PolicyAction::block},
                                       {"log", PolicyAction::log},
                                       {"rewrite", PolicyAction::rewrite},
                                       {"limit", PolicyAction::limit}}};
    const Words<PolicyMode> modes{{{"enforce", PolicyMode::enforce}, {"shadow", PolicyMode::shadow}}};
    static const Schema<T> schema{
        key<T>("name", &T::name, Text{false}, live).required(),
        section<T>("when", &T::when, Object<PolicyCondition>{condition_schema}),
        key<T>("action", &T::action, actions, live),
        section<T>("rewrite", &T::rewrite, Object<PolicyRewrite>{rewrite_schema}),
        section<T>("limit", &T::limit, Object<PolicyLimit>{limit_schema}),
        key<T>("sqlstate", &T::sqlstate, Text{false}, live),
        key<T>("message", &T::message, Text{}, live),
        key<T>("hint", &T::hint, Text{}, live),
        key<T>("mode", &T::mode, modes, live),
        key<T>("sample_one_in", &T::sample_one_in, Number{1, 1'000'000'000}, live),
    };
    return schema;
}

}  // namespace pgsluice::config
