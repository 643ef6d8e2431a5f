#include "crypto.hpp"
#include "scram_vectors.hpp"

#include <pgsluice/auth/scram_client.hpp>
#include <pgsluice/auth/scram_server.hpp>

#include <gtest/gtest.h>
#include <support/splits.hpp>

namespace pgsluice::auth {
namespace {

ScramKeys recorded_keys() {
    const auto verifier = *ScramVerifier::parse(recorded::verifier);
    static const ScramKeys keys = derive(recorded::password, verifier.salt, verifier.iterations);
    return keys;
}

ScramClient::Setup setup(ScramClient::Source source = recorded_keys()) {
    return {std::move(source), *from_base64(recorded::client_nonce), 100000, {}, false};
}

std::string told(const ScramClient::Step& step) {
    if (const auto* send = std::get_if<ScramClient::Send>(&step)) return "send " + send->message;
    if (std::holds_alternative<Derivation>(step)) return "derive";
    if (std::holds_alternative<ScramClient::Verified>(step)) return "verified";
    return "failed: " + std::get<ScramClient::Failed>(step).reason;
}

// What a server-first-message leads to. `@` stands for the client's nonce.
std::string after_first(std::string text, ScramClient::Setup with = setup()) {
    const auto at = text.find('@');
    if (at != std::string::npos) text.replace(at, 1, recorded::client_nonce);
    ScramClient client(std::move(with));
    client.first_message();
    return told(client.resume(text));
}

std::string after_final(ByteView message) {
    ScramClient client(setup());
    client.first_message();
    EXPECT_EQ(told(client.resume(recorded::server_first)), "send " + std::string(recorded::client_final));
    const auto result = told(client.resume(message));
    EXPECT_EQ(client.verified(), result == "verified");
    return result;
}

}  // namespace

TEST(ScramClient, repeats_a_recorded_exchange_from_a_password) {
    ScramClient client(setup(Secret(std::string(recorded::password))));
    EXPECT_EQ(client.first_message(), recorded::client_first);
    const auto step = client.resume(recorded::server_first);
    const auto* wanted = std::get_if<Derivation>(&step);
    ASSERT_NE(wanted, nullptr);
    EXPECT_EQ(wanted->iterations, 4096U);
    EXPECT_EQ(told(client.resume(derive(*wanted))), "send " + std::string(recorded::client_final));
    EXPECT_FALSE(client.verified());
    EXPECT_EQ(told(client.resume(recorded::server_final)), "verified");
    EXPECT_TRUE(client.verified());
}

TEST(ScramClient, passes_keys_through_without_deriving) {
    EXPECT_EQ(after_final(recorded::server_final), "verified");
}

TEST(ScramClient, refuses_a_server_that_does_not_know_the_password) {
    EXPECT_EQ(after_final("v=" + base64(Bytes(32, 'x'))),
              "failed: wrong SCRAM signature: the server does not know the password");
    EXPECT_TRUE(after_final("e=invalid-proof").starts_with("failed: the server ended"));
    for (const ByteView message : {"", "v", "v=", "v=AAAA", "v=!!!!", "x=AAAA"}) {
        EXPECT_TRUE(after_final(message).starts_with("failed: ")) << message;
    }
    EXPECT_TRUE(after_final(std::string(recorded::server_final) + ",x=y").starts_with("failed: malformed"));
    for (const auto prefix : test::every_prefix(recorded::server_final)) {
        EXPECT_TRUE(after_final(prefix).starts_with("failed: ")) << prefix;
    }
}

TEST(ScramClient, caps_the_iterations) {
    const auto with_password = [](std::string count) {
        return after_first("r=@srv,s=AAAA,i=" + count, setup(Secret("secret")));
    };
    EXPECT_EQ(with_password("1"), "derive");
    EXPECT_EQ(with_password("100000"), "derive");
    EXPECT_EQ(with_password("100001"), "failed: the server asks for 100001 SCRAM iterations, the limit is 100000");
    EXPECT_TRUE(with_password("2147483647").starts_with("failed: "));
    EXPECT_TRUE(with_password("4294967295").starts_with("failed: "));
    for (const std::string count :
         {"4294967296", "18446744073709551617", "0", "-1", "+1", "", " 1", "1 ", "0x1", "1e3"}) {
        EXPECT_TRUE(with_password(count).starts_with("failed: malformed")) << count;
    }
}

TEST(ScramClient, refuses_a_wrong_nonce) {
    for (const std::string nonce : {"@", "", "other", "@a b", "@\x01", "@\xff"}) {
        EXPECT_TRUE(after_first("r=" + nonce + ",s=AAAA,i=4096").starts_with("failed: invalid")) << nonce;
    }
}

TEST(ScramClient, refuses_malformed_first_messages) {
    for (const std::string text :
         {"", "r", "r=", "s=AAAA,r=@x,i=1", "r=@x", "r=@x,", "r=@x,s=,i=1", "r=@x,s=!!!!,i=1", "r=@x,s=AAAA",
          "r=@x,s=AAAA,i", "r=@x,s=AAAA,i=1,x=y", "m=ext,r=@x,s=AAAA,i=1", "r=@x,i=1,s=AAAA"}) {
        EXPECT_TRUE(after_first(text).starts_with("failed: ")) << text;
    }
    EXPECT_TRUE(after_first(std::string("r=@x\0,s=AAAA,i=1", 17)).starts_with("failed: "));
}

TEST(ScramClient, bounds_every_field) {
    EXPECT_TRUE(after_first("r=@" + std::string(65536, 'n') + ",s=AAAA,i=1")
                    .starts_with("failed: the server sent an over-long"));
    EXPECT_TRUE(
        after_first("r=@x,s=" + std::string(65536, 'A') + ",i=1").starts_with("failed: the server sent an over-long"));
    EXPECT_TRUE(after_first("r=@" + std::string(800, 'n') + ",s=AAAA,i=1").starts_with("send "));
}

TEST(ScramClient, is_over_after_its_verdict) {
    ScramClient client(setup());
    client.first_message();
    EXPECT_EQ(told(client.resume("nonsense")).substr(0, 7), "failed:");
    EXPECT_EQ(told(client.resume(recorded::server_first)), "failed: the server sent a SCRAM message out of order");
}

TEST(ScramClient, says_what_it_knows_of_channel_binding) {
    auto with = setup();
    with.channel_binding = Bytes(32, 'h');
    EXPECT_TRUE(ScramClient(with).first_message().starts_with("y,,"));
    with.uses_channel_binding = true;
    EXPECT_TRUE(ScramClient(with).first_message().starts_with("p=tls-server-end-point,,"));
}

// Both sides of ours against each other, over one channel and over two.
TEST(ScramClient, binds_the_channel) {
    for (const char theirs : {'h', 'i'}) {
        auto ours = setup();
        ours.channel_binding = Bytes(32, 'h');
        ours.uses_channel_binding = true;
        ScramClient client(ours);
        ScramServer server({*ScramVerifier::parse(recorded::verifier), false, "nonce", Bytes(32, theirs), true});
        const auto challenge = server.resume(client.first_message());
        const auto proof = client.resume(std::get<ScramServer::Continue>(challenge).message);
        const auto verdict = server.resume(std::get<ScramClient::Send>(proof).message);
        ASSERT_EQ(std::holds_alternative<ScramServer::Accepted>(verdict), theirs == 'h');
        if (theirs == 'h') {
            EXPECT_EQ(told(client.resume(std::get<ScramServer::Accepted>(verdict).message)), "verified");
        }
    }
}

}  // namespace pgsluice::auth
