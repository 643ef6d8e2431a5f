// What a policy does to a statement that it matches, and to the policies behind it.
#pragma once

#include <pgsluice/config/config.hpp>

#include <cstddef>

namespace pgsluice::config {

// It lets the statement pass, blocks, rewrites or limits it. Those that do not, in shadow mode and with `action: log`,
// note that they match.
inline bool decides(const Policy& policy) {
    return policy.mode == PolicyMode::enforce && policy.action != PolicyAction::log;
}

// No policy behind it is asked about what it matches. Those behind one that rewrites or limits are.
inline bool ends_search(const Policy& policy) {
    return decides(policy) && (policy.action == PolicyAction::allow || policy.action == PolicyAction::block);
}

// Of the policies that only note one statement, so many are counted and logged.
constexpr std::size_t most_noting_policies = 16;

}  // namespace pgsluice::config
