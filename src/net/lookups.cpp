#include "lookups.hpp"

#include "socket_address.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace pgsluice::net {

HostAnswer ask_system(const std::string& host) {
    HostAnswer answer;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
        answer.failure = error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error);
        return answer;
    }
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        SocketAddress raw;
        if (entry->ai_addrlen > sizeof raw.any) continue;
        raw.size = entry->ai_addrlen;
        std::memcpy(&raw.any, entry->ai_addr, raw.size);
        Address address = address_of(raw);
        address.port = 0;
        std::vector<Address>& found = answer.addresses;
        if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
    }
    ::freeaddrinfo(list);
    if (answer.addresses.empty()) answer.failure = "no address";
    return answer;
}

Lookups& lookups_of_process() {
    static Lookups only(ask_system);
    return only;
}

void forget_lookups() {
    lookups_of_process().forget_all();
}

}  // namespace pgsluice::net
