#include "scram_vectors.hpp"

#include <pgsluice/auth/scram_verifier.hpp>

#include <gtest/gtest.h>
#include <support/splits.hpp>

namespace pgsluice::auth {

TEST(ScramVerifier, reads_and_writes_what_postgresql_made) {
    const auto verifier = ScramVerifier::parse(recorded::verifier);
    ASSERT_TRUE(verifier);
    EXPECT_EQ(verifier->iterations, 4096U);
    EXPECT_EQ(verifier->salt.size(), scram_salt_bytes);
    EXPECT_EQ(verifier->format(), recorded::verifier);
}

TEST(ScramVerifier, is_made_from_a_password_as_postgresql_does) {
    const auto salt = ScramVerifier::parse(recorded::verifier)->salt;
    EXPECT_EQ(hash_password(recorded::password, salt), recorded::verifier);
}

// Made by PostgreSQL 15 with CREATE ROLE ... PASSWORD; mapping, normalization and all.
TEST(ScramVerifier, prepares_the_password_as_postgresql_does) {
    constexpr std::string_view stored =
        "SCRAM-SHA-256$4096:FiF7M9JOOpwZ0U84r63BdA==$N0V600a7k4Y11NIeaW8/2SFVfmkt/zm9VSRrGcltnW0=:"
        "utpNeuNDcuA9yILcBhz5oBI0KgVrVEwzAh+MyMNabiU=";
    const auto salt = ScramVerifier::parse(stored)->salt;
    EXPECT_EQ(hash_password("p\u00e4ss\u00adw\u00f6rd\u00a0\u2168", salt), stored);
    EXPECT_EQ(hash_password("p\u00e4ssw\u00f6rd IX", salt), stored);
}

TEST(ScramVerifier, accepts_the_keys_of_its_password_only) {
    const auto verifier = ScramVerifier::parse(recorded::verifier);
    EXPECT_TRUE(verifier->accepts(derive("secret", verifier->salt, verifier->iterations)));
    EXPECT_FALSE(verifier->accepts(derive("Secret", verifier->salt, verifier->iterations)));
    EXPECT_FALSE(verifier->accepts(derive("secret", verifier->salt, 4095)));
}

TEST(ScramVerifier, every_prefix_is_refused) {
    for (const auto prefix : test::every_prefix(recorded::verifier))
        EXPECT_FALSE(ScramVerifier::parse(prefix)) << prefix;
}

TEST(ScramVerifier, refuses_what_is_none) {
    const std::string keys =
        "$LV/PcqfjIacuc0T12trjgDsYr/9JgnZOPBlmZoz3ePE=:8v/0IDiTa8wyzOloq+MiUuMFkM3C9gEs4wCxobUUeIM=";
    const std::string salt = "XQSIU1mSFv04hAx+pgtBXQ==";
    EXPECT_TRUE(ScramVerifier::parse("SCRAM-SHA-256$1:" + salt + keys));
    EXPECT_TRUE(ScramVerifier::parse("SCRAM-SHA-256$2147483647:" + salt + keys));
    for (const std::string count :
         {"0", "-1", "+1", "", " 1", "1 ", "0x10", "2147483648", "4294967297", "99999999999999999999"}) {
        EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-256$" + count + ":" + salt + keys)) << count;
    }
    EXPECT_FALSE(ScramVerifier::parse("scram-sha-256$1:" + salt + keys));
    EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-1$1:" + salt + keys));
    EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-256$1:" + keys));
    EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-256$1:!!" + salt + keys));
    EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-256$1:" + salt + keys + "AAAA"));
    EXPECT_FALSE(ScramVerifier::parse("SCRAM-SHA-256$1:" + salt + "$AAAA:AAAA"));
}

}  // namespace pgsluice::auth
