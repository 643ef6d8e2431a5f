#include "lookup_findings.hpp"

#include <pgsluice/auth/scram_keys.hpp>

#include <functional>

namespace pgsluice::daemon {

void LookupFindings::note_outcome(const std::string& query, bool failed) {
    const std::lock_guard lock(mutex_);
    findings_[query].fails = failed;
}

bool LookupFindings::fails(const std::string& query) const {
    const std::lock_guard lock(mutex_);
    const auto found = findings_.find(query);
    return found != findings_.end() && found->second.fails;
}

void LookupFindings::note_iterations(const std::string& query, std::string_view user,
                                     std::optional<std::uint32_t> iterations) {
    const std::size_t key = std::hash<std::string_view>()(user);
    const std::lock_guard lock(mutex_);
    Findings& findings = findings_[query];
    if (const auto before = findings.votes.find(key); before != findings.votes.end()) {
        if (before->second == iterations) return;
        findings.tally.take_back(before->second);
        findings.votes.erase(before);
    }
    if (!iterations || *iterations > auth::scram_iterations_limit || findings.votes.size() >= most_votes) return;
    if (findings.tally.note(*iterations)) findings.votes.emplace(key, *iterations);
}

std::optional<std::uint32_t> LookupFindings::usual_iterations(const std::string& query) const {
    const std::lock_guard lock(mutex_);
    const auto found = findings_.find(query);
    return found == findings_.end() ? std::nullopt : found->second.tally.most_common();
}

void LookupFindings::keep_only(const std::set<std::string>& queries) {
    const std::lock_guard lock(mutex_);
    std::erase_if(findings_, [&](const auto& entry) { return !queries.contains(entry.first); });
}

}  // namespace pgsluice::daemon
