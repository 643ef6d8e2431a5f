// A link in its relay phase and the raw socket at its other end, over both kinds of socket.
#pragma once

#include "loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pgsluice::net {

class RelayingLink : public testing::TestWithParam<bool> {
  protected:
    RelayingLink() {
        auto [near, far] = GetParam() ? tcp_pair() : unix_pair();
        peer = std::move(near);
        link = Link::create(loop.reactor, std::move(far), Side::client);
    }

    void peer_sends(ByteView bytes) {
        ASSERT_EQ(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    std::string peer_reads(std::size_t limit = 1 << 20) {
        std::string bytes(limit, '\0');
        const ssize_t count = ::recv(peer.get(), bytes.data(), limit, MSG_DONTWAIT);
        bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return bytes;
    }
    bool peer_sees_end() {
        char byte;
        return ::recv(peer.get(), &byte, 1, MSG_DONTWAIT) == 0;
    }
    // Writes until the kernel takes no more.
    std::string congest() {
        std::string all;
        for (unsigned seed = 1; !link->congested(); ++seed) {
            all += pattern(100'000, seed);
            link->write(ByteView(all).substr(all.size() - 100'000));
        }
        return all;
    }

    Loop loop;
    RecordingSink sink;
    Descriptor peer;
    LinkPtr link;
};

}  // namespace pgsluice::net
