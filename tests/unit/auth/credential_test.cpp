#include "scram_vectors.hpp"

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/auth/md5.hpp>

#include <gtest/gtest.h>

namespace pgsluice::auth {
namespace {

template <class Kind>
bool is(std::string_view stored) {
    return std::holds_alternative<Kind>(parse_credential(Secret(std::string(stored))));
}

bool right(std::string_view stored, std::string_view user, std::string_view password) {
    const auto verdict =
        check_password(parse_credential(Secret(std::string(stored))), user, Secret(std::string(password)));
    return std::holds_alternative<bool>(verdict) && std::get<bool>(verdict);
}

constexpr std::string_view stored_md5 = "md52aea419619857e8a27f0f7aa641db0c6";  // PostgreSQL's, user md5user, "secret"

}  // namespace

TEST(Credential, is_told_by_its_shape) {
    EXPECT_TRUE(is<NoPassword>(""));
    EXPECT_TRUE(is<PlainPassword>("secret"));
    EXPECT_TRUE(is<Md5Password>(stored_md5));
    EXPECT_TRUE(is<ScramVerifier>(recorded::verifier));
}

TEST(Credential, what_only_looks_like_a_hash_is_a_plain_password) {
    EXPECT_TRUE(is<PlainPassword>("md5"));
    EXPECT_TRUE(is<PlainPassword>("md52AEA419619857E8A27F0F7AA641DB0C6"));
    EXPECT_TRUE(is<PlainPassword>("md52aea419619857e8a27f0f7aa641db0c"));
    EXPECT_TRUE(is<PlainPassword>("md52aea419619857e8a27f0f7aa641db0c6a"));
    EXPECT_TRUE(is<PlainPassword>("SCRAM-SHA-256$4096:abc"));
}

TEST(Credential, checks_a_password_that_came_in_clear) {
    EXPECT_TRUE(right("secret", "u", "secret"));
    EXPECT_FALSE(right("secret", "u", "secret2"));
    EXPECT_TRUE(right(stored_md5, "md5user", "secret"));
    EXPECT_FALSE(right(stored_md5, "other", "secret"));
    EXPECT_FALSE(right(stored_md5, "md5user", stored_md5));
    EXPECT_FALSE(right("", "u", "secret"));
    EXPECT_FALSE(right("", "u", ""));
    EXPECT_FALSE(right("secret", "u", ""));
}

TEST(Credential, a_verifier_asks_for_the_derivation_that_it_was_made_with) {
    const auto stored = parse_credential(Secret(std::string(recorded::verifier)));
    const auto verdict = check_password(stored, "u", Secret("secret"));
    const auto* wanted = std::get_if<Derivation>(&verdict);
    ASSERT_NE(wanted, nullptr);
    EXPECT_TRUE(std::get<ScramVerifier>(stored).accepts(derive(*wanted)));
}

TEST(Md5, answers_a_salt_as_libpq_does) {
    const Secret hash = md5_hash("secret", "md5user");
    EXPECT_EQ(hash.reveal(), stored_md5);
    // md5sum of "2aea419619857e8a27f0f7aa641db0c6" and the bytes 01 02 03 04
    EXPECT_EQ(md5_response(hash, "\x01\x02\x03\x04").reveal(), "md56b614f1bd5dc8478f5705c783c9bbdc0");
}

}  // namespace pgsluice::auth
