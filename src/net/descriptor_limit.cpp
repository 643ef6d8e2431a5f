#include <pgsluice/net/descriptor_limit.hpp>

#include <sys/resource.h>

namespace pgsluice::net {

DescriptorLimit raise_descriptor_limit(std::uint64_t needed) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : limit.rlim_max;
    if (raised.rlim_cur > limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return {.soft = limit.rlim_cur, .hard = limit.rlim_max, .enough = limit.rlim_cur >= needed};
}

}  // namespace pgsluice::net
