#include "peer_key.hpp"

#include <pgsluice/config/config.hpp>

#include <gtest/gtest.h>

namespace pgsluice::daemon::peer_key {
namespace {

TEST(PeerKey, tells_every_id_whatever_the_random_bits_are) {
    for (std::uint32_t id = 1; id <= config::largest_peer; ++id) {
        for (int random = 0; random < 256; ++random) {
            Bytes secret{static_cast<char>(random), 'a', 'b', 'c'};
            mark(secret, id);
            EXPECT_EQ(id_of(secret), id);
            EXPECT_FALSE(is_forwarded(secret));
            EXPECT_EQ(static_cast<unsigned char>(secret[0]) & random_bits, random & random_bits);
            EXPECT_EQ(secret.substr(1), "abc");
        }
    }
}

TEST(PeerKey, a_forwarded_one_is_the_same_key_again_without_its_mark) {
    Bytes secret = "xyz4";
    mark(secret, config::largest_peer);
    const Bytes sent_on = with_forwarded(secret, true);
    EXPECT_TRUE(is_forwarded(sent_on));
    EXPECT_NE(sent_on, secret);
    EXPECT_EQ(with_forwarded(sent_on, false), secret);
}

TEST(PeerKey, an_empty_secret_is_nobodys) {
    EXPECT_EQ(id_of({}), 0U);
    EXPECT_FALSE(is_forwarded({}));
}

}  // namespace
}  // namespace pgsluice::daemon::peer_key
