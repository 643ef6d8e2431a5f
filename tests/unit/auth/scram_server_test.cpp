#include "crypto.hpp"
#include "scram_vectors.hpp"

#include <pgsluice/auth/scram_server.hpp>

#include <gtest/gtest.h>
#include <support/splits.hpp>

namespace pgsluice::auth {
namespace {

ScramServer::Setup setup() {
    return {*ScramVerifier::parse(recorded::verifier), false, *from_base64(recorded::server_nonce), {}, false};
}

ScramServer::Setup bound(bool used) {
    auto made = setup();
    made.channel_binding = Bytes(32, 'h');
    made.uses_channel_binding = used;
    return made;
}

// "SQLSTATE message / DETAIL", or what else came out.
std::string told(const ScramServer::Step& step) {
    if (const auto* next = std::get_if<ScramServer::Continue>(&step)) return "continue " + next->message;
    if (const auto* done = std::get_if<ScramServer::Accepted>(&step)) return "accepted " + done->message;
    if (std::holds_alternative<ScramServer::WrongProof>(step)) return "wrong proof";
    const auto& error = std::get<wire::SqlError>(step);
    EXPECT_EQ(error.severity, wire::Severity::fatal);
    return std::string(error.code()) + " " + error.message + (error.detail.empty() ? "" : " / " + error.detail);
}

std::string first(ByteView message, ScramServer::Setup with = setup()) {
    ScramServer server(std::move(with));
    return told(server.resume(message));
}

std::string final_after(ByteView client_first, ByteView message, ScramServer::Setup with = setup()) {
    ScramServer server(std::move(with));
    EXPECT_TRUE(told(server.resume(client_first)).starts_with("continue "));
    return told(server.resume(message));
}

// A client-final-message for the recorded exchange: `@` in `text` stands for the nonce.
std::string final_message(std::string text) {
    const auto at = text.find('@');
    if (at != std::string::npos) {
        text.replace(at, 1, std::string(recorded::client_nonce) + std::string(recorded::server_nonce));
    }
    return final_after(recorded::client_first, text);
}

const std::string proof = base64(Bytes(32, 'x'));

}  // namespace

TEST(ScramServer, repeats_a_recorded_exchange) {
    ScramServer server(setup());
    EXPECT_EQ(told(server.resume(recorded::client_first)), "continue " + std::string(recorded::server_first));
    const auto step = server.resume(recorded::client_final);
    ASSERT_EQ(told(step), "accepted " + std::string(recorded::server_final));
    const auto& keys = std::get<ScramServer::Accepted>(step).keys;
    const auto verifier = *ScramVerifier::parse(recorded::verifier);
    const auto derived = derive(recorded::password, verifier.salt, verifier.iterations);
    EXPECT_EQ(keys.client_key, derived.client_key);
    EXPECT_EQ(keys.server_key, derived.server_key);
}

TEST(ScramServer, asks_for_the_first_message_where_the_client_sent_none) {
    ScramServer server(setup());
    EXPECT_EQ(told(server.resume(std::nullopt)), "continue ");
    EXPECT_EQ(told(server.resume(recorded::client_first)), "continue " + std::string(recorded::server_first));
    EXPECT_EQ(told(server.resume(recorded::client_final)), "accepted " + std::string(recorded::server_final));
}

TEST(ScramServer, a_doomed_exchange_fails_at_its_end_even_with_the_right_proof) {
    auto doomed = setup();
    doomed.doomed = true;
    EXPECT_EQ(final_after(recorded::client_first, recorded::client_final, doomed), "wrong proof");
}

TEST(ScramServer, a_stand_in_verifier_looks_like_a_real_one) {
    auto mock = setup();
    mock.verifier = ScramServer::stand_in_verifier("nobody", Secret("process"));
    mock.doomed = true;
    const auto step = first(recorded::client_first, mock);
    EXPECT_EQ(step.size(), std::string("continue ").size() + recorded::server_first.size());
    EXPECT_TRUE(step.ends_with(",i=4096"));
    EXPECT_EQ(step, first(recorded::client_first, mock));
}

// Expected texts: PostgreSQL 15.20's answers to the same bytes.
TEST(ScramServer, malformed_first_messages) {
    const auto malformed = [](std::string detail) { return "08P01 malformed SCRAM message / " + detail; };
    EXPECT_EQ(first(""), malformed("The message is empty."));
    EXPECT_EQ(first(ByteView("n,,n=,r=a\0b", 11)), malformed("Message length does not match input length."));
    EXPECT_EQ(first("x,,n=,r=a"), malformed("Unexpected channel-binding flag \"'x'\"."));
    EXPECT_EQ(first("\x01,,"), malformed("Unexpected channel-binding flag \"0x01\"."));
    EXPECT_EQ(first("\xe9,,"), malformed("Unexpected channel-binding flag \"0xe9\"."));
    EXPECT_EQ(first("nx"), malformed("Comma expected, but found character \"'x'\"."));
    EXPECT_EQ(first("n"), malformed("Comma expected, but found character \"0x00\"."));
    EXPECT_EQ(first("n,a=b,n=,r=a"), "0A000 client uses authorization identity, but it is not supported");
    EXPECT_EQ(first("n,z,n=,r=a"), malformed("Unexpected attribute \"'z'\" in client-first-message."));
    EXPECT_EQ(first("n,"), malformed("Unexpected attribute \"0x00\" in client-first-message."));
    EXPECT_EQ(first("n,,m=x,n=,r=a"), "0A000 client requires an unsupported SCRAM extension");
    EXPECT_EQ(first("n,,r=a"), malformed("Expected attribute \"n\" but found \"'r'\"."));
    EXPECT_EQ(first("n,,nr=a"), malformed("Expected character \"=\" for attribute \"n\"."));
    EXPECT_EQ(first("n,,n="), malformed("Expected attribute \"r\" but found \"0x00\"."));
    EXPECT_EQ(first("n,,n=,"), malformed("Expected attribute \"r\" but found \"0x00\"."));
    EXPECT_EQ(first("n,,n=,r"), malformed("Expected character \"=\" for attribute \"r\"."));
    EXPECT_EQ(first("n,,n=,r=a b"), "08P01 non-printable characters in SCRAM nonce");
    EXPECT_EQ(first("n,,n=,r=a,1=2"), malformed("Attribute expected, but found invalid character \"'1'\"."));
    EXPECT_EQ(first("n,,n=,r=a,xy"), malformed("Expected character \"=\" for attribute \"x\"."));
    EXPECT_EQ(first("p=tls-server-end-point,,n=,r=a"),
              malformed("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes "
                        "channel binding data."));
}

TEST(ScramServer, takes_first_messages_that_postgresql_takes) {
    for (const ByteView message : {"n,,n=,r=", "n,,n=,r=a,x=y", "n,,n=,r=a,", "y,,n=,r=a", "n,,n=bob,r=a"}) {
        EXPECT_TRUE(first(message).starts_with("continue r=")) << message;
    }
}

TEST(ScramServer, malformed_final_messages) {
    const auto malformed = [](std::string detail) { return "08P01 malformed SCRAM message / " + detail; };
    EXPECT_EQ(final_message(""), malformed("The message is empty."));
    EXPECT_EQ(final_message("r=@"), malformed("Expected attribute \"c\" but found \"'r'\"."));
    EXPECT_EQ(final_message("c=eSws,r=@,p=AA"),
              "08P01 unexpected SCRAM channel-binding attribute in client-final-message");
    EXPECT_EQ(final_message("c=cD10bHMs,r=@"),
              "08P01 unexpected SCRAM channel-binding attribute in client-final-message");
    EXPECT_EQ(final_message("c=biws"), malformed("Expected attribute \"r\" but found \"0x00\"."));
    EXPECT_EQ(final_message("c=biws,r=zzz,p=" + proof), "08P01 invalid SCRAM response / Nonce does not match.");
    EXPECT_EQ(final_message("c=biws,r=@"), malformed("Attribute expected, but found end of string."));
    EXPECT_EQ(final_message("c=biws,r=@,"), malformed("Attribute expected, but found end of string."));
    EXPECT_EQ(final_message("c=biws,r=@,p=!!"), malformed("Malformed proof in client-final-message."));
    EXPECT_EQ(final_message("c=biws,r=@,p="), malformed("Malformed proof in client-final-message."));
    EXPECT_EQ(final_message("c=biws,r=@,p=AAAA"), malformed("Malformed proof in client-final-message."));
    EXPECT_EQ(final_message("c=biws,r=@,p= " + proof), malformed("Malformed proof in client-final-message."));
    EXPECT_EQ(final_message("c=biws,r=@,p=" + proof + ",x=y"),
              malformed("Garbage found at the end of client-final-message."));
    EXPECT_EQ(final_message("c=biws,r=@,1=y,p=AA"),
              malformed("Attribute expected, but found invalid character \"'1'\"."));
    EXPECT_EQ(final_message("c=biws,r=zzz,p=!"), malformed("Malformed proof in client-final-message."));
}

TEST(ScramServer, wrong_proofs) {
    EXPECT_EQ(final_message("c=biws,r=@,p=" + proof), "wrong proof");
    EXPECT_EQ(final_message("c=biws,r=@,p=" + proof + ","), "wrong proof");
    EXPECT_EQ(final_message("c=biws,r=@,x=y,p=" + proof), "wrong proof");
    // The proof covers the extensions too.
    std::string altered(recorded::client_final);
    altered.insert(altered.find(",p="), ",x=y");
    EXPECT_EQ(final_after(recorded::client_first, altered), "wrong proof");
}

TEST(ScramServer, no_prefix_of_a_message_is_accepted) {
    for (const auto prefix : test::every_prefix(recorded::client_final)) {
        EXPECT_FALSE(final_after(recorded::client_first, prefix).starts_with("accepted"));
    }
}

TEST(ScramServer, is_over_after_its_verdict) {
    ScramServer server(setup());
    server.resume(recorded::client_first);
    server.resume(recorded::client_final);
    EXPECT_TRUE(std::holds_alternative<wire::SqlError>(server.resume(recorded::client_final)));
}

TEST(ScramServer, channel_binding_must_be_used_as_chosen) {
    EXPECT_EQ(first("n,,n=,r=a", bound(true)),
              "08P01 malformed SCRAM message / The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not "
              "include channel binding data.");
    EXPECT_TRUE(first("y,,n=,r=a", bound(true)).starts_with("08P01 malformed SCRAM message"));
    EXPECT_EQ(first("p=tls-unique,,n=,r=a", bound(true)), "08P01 unsupported SCRAM channel-binding type");
    EXPECT_TRUE(first("p,,n=,r=a", bound(true)).starts_with("08P01 malformed SCRAM message"));
    EXPECT_TRUE(first("n,,n=,r=a", bound(false)).starts_with("continue "));
}

TEST(ScramServer, notices_that_its_strongest_mechanism_was_taken_away) {
    EXPECT_TRUE(first("y,,n=,r=a", bound(false)).starts_with("08P01 SCRAM channel binding negotiation error / "));
}

TEST(ScramServer, checks_the_channel) {
    const std::string nonce = "a" + std::string(recorded::server_nonce);
    const std::string header = "p=tls-server-end-point,,";
    const auto answer = [&](const Bytes& binding) {
        return final_after(header + "n=,r=a", "c=" + base64(binding) + ",r=" + nonce + ",p=" + proof, bound(true));
    };
    EXPECT_EQ(answer(header + Bytes(32, 'h')), "wrong proof");  // the channel is right
    EXPECT_EQ(answer(header + Bytes(32, 'i')), "28000 SCRAM channel binding check failed");
    EXPECT_EQ(answer(header), "28000 SCRAM channel binding check failed");
    EXPECT_EQ(answer("n,,"), "28000 SCRAM channel binding check failed");
}

}  // namespace pgsluice::auth
