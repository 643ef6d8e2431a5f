#include "load_configuration.hpp"

#include <pgsluice/policy/engine.hpp>

#include <variant>
#include <vector>

namespace pgsluice::daemon {
namespace {

std::vector<config::PolicyFinding> judge(const std::vector<config::Policy>& policies) {
    auto built = policy::Engine::build(policies);
    std::vector<config::PolicyFinding> findings;
    if (auto* errors = std::get_if<std::vector<policy::BuildError>>(&built)) {
        for (policy::BuildError& error : *errors)
            findings.push_back({error.policy, std::move(error.key), std::move(error.text)});
    }
    return findings;
}

}  // namespace

config::Loaded load_configuration(const std::string& path) {
    return config::load(path, judge);
}

}  // namespace pgsluice::daemon
