// What `action: limit` lets a statement take, as the verdict names it: Verdict::limit.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/usage.hpp>

#include <memory>
#include <string>

namespace pgsluice::policy {

struct Limit {
    std::string rule;
    config::PolicyLimit bounds;
    std::shared_ptr<Usage> usage;  // nullptr: neither its concurrency nor its rate is bounded

    // Its result is to be counted as it comes.
    bool counts_result() const { return bounds.max_rows > 0 || bounds.max_bytes > 0; }
};

}  // namespace pgsluice::policy
