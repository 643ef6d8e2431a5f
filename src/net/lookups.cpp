#include "lookups.hpp"

#include "socket_address.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

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

struct Lookups::State {
    explicit State(Ask how) : ask(std::move(how)) {}
    const Ask ask;
    std::mutex mutex;
    std::map<std::string, std::vector<Giver>> waiting;  // by host; protected by mutex
};

Lookups::Lookups(Ask ask) : state_(std::make_shared<State>(std::move(ask))) {}

Lookups& Lookups::of_process() {
    static Lookups only(ask_system);
    return only;
}

void Lookups::join(const std::string& host, Giver giver) {
    const std::lock_guard lock(state_->mutex);
    const auto [entry, is_new] = state_->waiting.try_emplace(host);
    // A lookup that hangs for long is asked for again and again.
    std::erase_if(entry->second, [](const Giver& other) { return !other.is_wanted(); });
    entry->second.push_back(std::move(giver));
    if (!is_new) return;
    try {
        std::thread([state = state_, host] {
            const HostAnswer answer = state->ask(host);
            std::unique_lock turn(state->mutex);
            const auto those_who_wait = state->waiting.extract(host);
            turn.unlock();
            for (const Giver& each : those_who_wait.mapped()) each.give(answer);
        }).detach();
    } catch (const std::system_error&) {
        state_->waiting.erase(entry);
        throw;
    }
}

}  // namespace pgsluice::net
