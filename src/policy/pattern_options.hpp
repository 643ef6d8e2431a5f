// How RE2 reads the patterns of rules: the same for one pattern and for all of them together.
#pragma once

#include <re2/re2.h>

namespace pgsluice::policy {

inline RE2::Options pattern_options(std::int64_t memory_limit_bytes) {
    RE2::Options options;
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);  // it would write to standard error
    options.set_max_mem(memory_limit_bytes);
    return options;
}

}  // namespace pgsluice::policy
