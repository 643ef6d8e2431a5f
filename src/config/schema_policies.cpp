#include "codecs.hpp"
#include "schemas.hpp"

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
        later<T>("statements"),
        later<T>("without_where"),
        later<T>("without_limit"),
        later<T>("tables"),
        later<T>("columns"),
        later<T>("functions"),
        later<T>("fingerprints"),
    };
    return schema;
}

}  // namespace

const Schema<Policy>& policy_schema() {
    using T = Policy;
    using enum Changes;
    const Words<PolicyAction> actions{
        {{"allow", PolicyAction::allow}, {"block", PolicyAction::block}, {"log", PolicyAction::log}},
        {"rewrite", "limit"}};
    const Words<PolicyMode> modes{{{"enforce", PolicyMode::enforce}, {"shadow", PolicyMode::shadow}}};
    static const Schema<T> schema{
        key<T>("name", &T::name, Text{false}, live).required(),
        section<T>("when", &T::when, Object<PolicyCondition>{condition_schema}),
        key<T>("action", &T::action, actions, live),
        key<T>("sqlstate", &T::sqlstate, Text{false}, live),
        key<T>("message", &T::message, Text{}, live),
        key<T>("hint", &T::hint, Text{}, live),
        key<T>("mode", &T::mode, modes, live),
    };
    return schema;
}

}  // namespace pgsluice::config
