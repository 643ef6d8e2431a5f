#include "crypto.hpp"

#include <pgsluice/auth/scram_keys.hpp>

#include <gtest/gtest.h>

namespace pgsluice::auth {

TEST(Base64, is_that_of_rfc_4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64(Bytes("\xff\xfe\0", 3)), "//4A");
}

TEST(Base64, reads_back_every_octet_at_every_length) {
    Bytes bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(from_base64(base64(bytes)), bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, refuses_what_is_not_base64) {
    for (const ByteView text :
         {"A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AA==AAAA", "AA A", "AAA\n", "AA-_", "AAAA="}) {
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
    EXPECT_EQ(from_base64(ByteView("AA\0A", 4)), std::nullopt);
    EXPECT_EQ(from_base64("\x80\x80\x80\x80"), std::nullopt);
}

// RFC 7677 section 3: user "user", password "pencil".
TEST(Scram, keys_give_the_proof_and_the_signature_of_rfc_7677) {
    const auto salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
    ASSERT_TRUE(salt);
    const ScramKeys keys = derive("pencil", *salt, 4096);
    const Bytes exchange =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,"
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const Bytes signature = hmac_sha256(sha256({keys.client_key.reveal()}), {exchange});
    EXPECT_EQ(base64(exclusive_or(keys.client_key.reveal(), signature)),
              "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    EXPECT_EQ(base64(hmac_sha256(keys.server_key.reveal(), {exchange})),
              "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, the_stand_in_salt_is_stable_and_differs_by_user_and_process) {
    const Secret process("one process");
    EXPECT_EQ(stand_in_salt("a", process), stand_in_salt("a", process));
    EXPECT_EQ(stand_in_salt("a", process).size(), scram_salt_bytes);
    EXPECT_NE(stand_in_salt("a", process), stand_in_salt("b", process));
    EXPECT_NE(stand_in_salt("a", process), stand_in_salt("a", Secret("another")));
}

}  // namespace pgsluice::auth
