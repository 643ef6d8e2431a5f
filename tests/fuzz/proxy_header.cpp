// What stands in front of a connection from a load balancer: the same however it is cut, and never more than there is.
#include "fuzz.hpp"

#include <pgsluice/wire/proxy_header.hpp>

using namespace pgsluice;
using State = wire::ProxyHeader::State;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input = fuzz::view(data, size);
    const wire::ProxyHeader whole = wire::read_proxy_header(input);
    PGSLUICE_CHECK(whole.state != State::need_more || input.size() < wire::longest_proxy_header);
    if (whole.state != State::complete) return 0;
    PGSLUICE_CHECK(whole.size <= input.size() && whole.size <= wire::longest_proxy_header);
    for (std::size_t cut = 0; cut < whole.size; ++cut) {
        PGSLUICE_CHECK(wire::read_proxy_header(input.substr(0, cut)).state == State::need_more);
    }
    PGSLUICE_CHECK(wire::read_proxy_header(input.substr(0, whole.size)).source == whole.source);
    return 0;
}
