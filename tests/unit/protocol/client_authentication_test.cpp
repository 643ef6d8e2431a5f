#include "feed.hpp"

#include <pgsluice/auth/md5.hpp>
#include <pgsluice/auth/scram_client.hpp>
#include <pgsluice/protocol/client_authentication.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/messages.hpp>

namespace pgsluice::protocol {
namespace {

namespace client = test::client;
using auth::Credential;
using config::AuthMethod;
using config::ListenerTlsMode;
using Action = ClientAuthentication::Action;

const Bytes salt = "sodium chloride!";

Credential stored_verifier() {
    static const auto keys = auth::derive("secret", salt, 4096);
    return auth::ScramVerifier::from_keys(keys, salt, 4096);
}

ClientAuthentication::Setup setup(AuthMethod method, std::optional<Credential> credential = std::nullopt) {
    ClientAuthentication::Setup made;
    made.rule.method = method;
    made.user = "alice";
    made.credential = std::move(credential);
    made.nonce = Bytes(auth::scram_nonce_bytes, 'n');
    made.md5_salt = "salt";
    made.process_secret = Secret("process");
    return made;
}

// What a SCRAM client that knows `password` answers to our challenges.
class Client {
  public:
    explicit Client(std::string_view password)
        : scram_({Secret(std::string(password)), Bytes(auth::scram_nonce_bytes, 'c'), 100000, {}, false}) {}
    Bytes first() { return client::sasl_initial("SCRAM-SHA-256", scram_.first_message()); }
    Bytes final_after(ByteView authentication_continue) {
        auto step = scram_.resume(authentication_continue.substr(9));
        if (auto* wanted = std::get_if<auth::Derivation>(&step)) step = scram_.resume(auth::derive(*wanted));
        return client::sasl_response(std::get<auth::ScramClient::Send>(step).message);
    }
    bool satisfied_by(ByteView authentication_final) {
        return std::holds_alternative<auth::ScramClient::Verified>(scram_.resume(authentication_final.substr(9)));
    }

  private:
    auth::ScramClient scram_;
};

std::string told(const Action& action) {
    if (std::holds_alternative<ClientAuthentication::NeedMessage>(action)) return "need message";
    if (std::holds_alternative<auth::Derivation>(action)) return "derive";
    if (const auto* accepted = std::get_if<ClientAuthentication::Accepted>(&action)) {
        return std::string("accepted") + (accepted->keys ? " with keys" : "") +
               (accepted->password.empty() ? "" : " with password");
    }
    if (std::holds_alternative<ClientAuthentication::Close>(action)) return "close";
    const auto& error = std::get<ClientAuthentication::Rejected>(action).error;
    EXPECT_EQ(error.severity, wire::Severity::fatal);
    return std::string(error.code()) + " " + error.message + (error.detail.empty() ? "" : " / " + error.detail);
}

bool is_waiting(const Action& action) {
    return std::holds_alternative<ClientAuthentication::NeedMessage>(action);
}

// The outcome of one answer to the first challenge.
struct Result {
    std::string action;
    Bytes out;
};
Result answer(ClientAuthentication::Setup with, const test::Portions& portions) {
    ClientAuthentication machine(std::move(with));
    Result result;
    Bytes unread;
    auto action = machine.begin(result.out);
    if (auto* wanted = std::get_if<auth::Derivation>(&action))
        action = machine.resume(auth::derive(*wanted), result.out);
    EXPECT_EQ(told(action), "need message");
    result.out.clear();
    action = test::feed(machine, portions, result.out, is_waiting, unread);
    if (auto* wanted = std::get_if<auth::Derivation>(&action))
        action = machine.resume(auth::derive(*wanted), result.out);
    result.action = told(action);
    return result;
}
std::string answer(ClientAuthentication::Setup with, const Bytes& bytes) {
    return answer(std::move(with), test::Portions{bytes}).action;
}

std::string begin(ClientAuthentication::Setup with) {
    ClientAuthentication machine(std::move(with));
    Bytes out;
    const auto action = told(machine.begin(out));
    EXPECT_EQ(test::describe(out) == "Authentication 0\n", action == "accepted");
    return action;
}

// A whole SCRAM login, its bytes cut in `portions_of`'s way; the verdict.
template <class Cut>
std::string scram_login(ClientAuthentication::Setup with, std::string_view password, Cut cut) {
    ClientAuthentication machine(std::move(with));
    Client client(password);
    Bytes out, unread;
    auto action = machine.begin(out);
    if (auto* wanted = std::get_if<auth::Derivation>(&action)) action = machine.resume(auth::derive(*wanted), out);
    EXPECT_EQ(test::describe(out), "Authentication 10 \"SCRAM-SHA-256\\x00\\x00\"\n");
    out.clear();
    const Bytes first = client.first();
    action = test::feed(machine, cut(first), out, is_waiting, unread);
    EXPECT_EQ(told(action), "need message");
    const Bytes last = client.final_after(out);
    out.clear();
    action = test::feed(machine, cut(last), out, is_waiting, unread);
    EXPECT_EQ(unread, "");
    if (std::holds_alternative<ClientAuthentication::Accepted>(action)) {
        EXPECT_TRUE(out.ends_with(test::server::authentication_ok()));
        EXPECT_TRUE(client.satisfied_by(ByteView(out).substr(0, out.size() - 9)));
    }
    return told(action);
}
std::string scram_login(ClientAuthentication::Setup with, std::string_view password) {
    return scram_login(std::move(with), password, [](ByteView bytes) { return test::Portions{bytes}; });
}

const std::string wrong = "28P01 password authentication failed for user \"alice\"";

}  // namespace

TEST(ClientAuthentication, calls_nobodys_proof_wrong_while_lookups_fail) {
    const std::string unknown = "57P03 could not look up the user";
    const auto failing = [](AuthMethod method, std::optional<Credential> credential = std::nullopt) {
        auto made = setup(method, std::move(credential));
        made.lookups_fail = true;
        return made;
    };
    const Bytes guess = client::password("guess");
    EXPECT_EQ(answer(failing(AuthMethod::password), guess), unknown);
    EXPECT_EQ(answer(failing(AuthMethod::password, auth::PlainPassword{Secret("secret")}), guess), unknown);
    EXPECT_EQ(answer(failing(AuthMethod::password, stored_verifier()), guess), unknown);
    EXPECT_EQ(answer(failing(AuthMethod::md5, auth::PlainPassword{Secret("secret")}), guess), unknown);
    EXPECT_EQ(scram_login(failing(AuthMethod::scram_sha_256), "secret"), unknown);
    EXPECT_EQ(scram_login(failing(AuthMethod::scram_sha_256, stored_verifier()), "guess"), unknown);
    EXPECT_EQ(scram_login(failing(AuthMethod::scram_sha_256, stored_verifier()), "secret"), "accepted with keys");
}

TEST(ClientAuthentication, logs_nobody_as_missing_whom_a_failing_lookup_was_about) {
    for (const bool lookups_fail : {false, true}) {
        auto made = setup(AuthMethod::password, std::nullopt);
        made.lookups_fail = lookups_fail;
        ClientAuthentication machine(std::move(made));
        Bytes out;
        machine.begin(out);
        const auto step = machine.resume(client::password("guess"), out);
        EXPECT_EQ(std::get<ClientAuthentication::Rejected>(step.action).reason,
                  lookups_fail ? "the user could not be looked up" : "no such user");
    }
}

TEST(ClientAuthentication, trusts_and_rejects) {
    EXPECT_EQ(begin(setup(AuthMethod::trust)), "accepted");
    EXPECT_TRUE(begin(setup(AuthMethod::reject, auth::PlainPassword{Secret("secret")})).starts_with("28000 "));
}

TEST(ClientAuthentication, peer_needs_the_name_of_the_process_owner) {
    auto with = setup(AuthMethod::peer);
    EXPECT_EQ(begin(with), "28000 Peer authentication failed for user \"alice\"");
    with.peer_name = "bob";
    EXPECT_EQ(begin(with), "28000 Peer authentication failed for user \"alice\"");
    with.rule.map = {{"bob", "alice"}};
    EXPECT_EQ(begin(with), "accepted");
    with.rule.map.clear();
    with.peer_name = "alice";
    EXPECT_EQ(begin(with), "accepted");
}

TEST(ClientAuthentication, cert_needs_the_name_in_the_certificate) {
    auto with = setup(AuthMethod::cert);
    EXPECT_EQ(begin(with), "28000 connection requires a valid client certificate");
    with.certificate_name = "bob";
    EXPECT_EQ(begin(with), "28000 certificate authentication failed for user \"alice\"");
    with.certificate_name = "";
    EXPECT_EQ(begin(with), "28000 certificate authentication failed for user \"alice\"");
    with.certificate_name = "alice";
    EXPECT_EQ(begin(with), "accepted");
}

TEST(ClientAuthentication, the_listeners_mode_holds_beside_any_method) {
    auto with = setup(AuthMethod::trust);
    for (const auto mode : {ListenerTlsMode::verify_ca, ListenerTlsMode::verify_full}) {
        with.listener_tls = mode;
        with.certificate_name.reset();
        EXPECT_EQ(begin(with), "28000 connection requires a valid client certificate");
        with.certificate_name = "bob";
        EXPECT_EQ(begin(with) == "accepted", mode == ListenerTlsMode::verify_ca);
        with.certificate_name = "alice";
        EXPECT_EQ(begin(with), "accepted");
    }
    auto password = setup(AuthMethod::password, auth::PlainPassword{Secret("secret")});
    password.listener_tls = ListenerTlsMode::verify_full;
    password.certificate_name = "bob";
    EXPECT_EQ(begin(password), wrong);
}

TEST(ClientAuthentication, asks_for_what_the_method_says) {
    const auto challenge = [](ClientAuthentication::Setup with) {
        ClientAuthentication machine(std::move(with));
        Bytes out;
        machine.begin(out);
        return test::describe(out);
    };
    EXPECT_EQ(challenge(setup(AuthMethod::password)), "Authentication 3\n");
    EXPECT_EQ(challenge(setup(AuthMethod::md5, auth::PlainPassword{Secret("secret")})), "Authentication 5 \"salt\"\n");
    EXPECT_EQ(challenge(setup(AuthMethod::md5, stored_verifier())), "Authentication 10 \"SCRAM-SHA-256\\x00\\x00\"\n");
    EXPECT_EQ(challenge(setup(AuthMethod::scram_sha_256)), "Authentication 10 \"SCRAM-SHA-256\\x00\\x00\"\n");
    auto bound = setup(AuthMethod::scram_sha_256);
    bound.channel_binding = Bytes(32, 'h');
    EXPECT_EQ(challenge(bound), "Authentication 10 \"SCRAM-SHA-256-PLUS\\x00SCRAM-SHA-256\\x00\\x00\"\n");
}

TEST(ClientAuthentication, checks_cleartext_passwords) {
    const Credential plain = auth::PlainPassword{Secret("secret")};
    const Credential md5 = auth::Md5Password{auth::md5_hash("secret", "alice")};
    for (const Credential& stored : {plain, md5}) {
        EXPECT_EQ(answer(setup(AuthMethod::password, stored), client::password("secret")), "accepted with password");
        EXPECT_EQ(answer(setup(AuthMethod::password, stored), client::password("Secret")), wrong);
    }
    EXPECT_EQ(answer(setup(AuthMethod::password, stored_verifier()), client::password("secret")),
              "accepted with password");
    EXPECT_EQ(answer(setup(AuthMethod::password, stored_verifier()), client::password("Secret")), wrong);
    EXPECT_EQ(answer(setup(AuthMethod::password, auth::NoPassword{}), client::password("secret")), wrong);
    EXPECT_EQ(answer(setup(AuthMethod::password), client::password("secret")), wrong);
}

TEST(ClientAuthentication, computes_no_more_iterations_than_the_limit_for_a_password_in_clear) {
    const auto with_count = [](std::uint32_t iterations) {
        auth::ScramVerifier verifier = std::get<auth::ScramVerifier>(stored_verifier());
        verifier.iterations = iterations;
        ClientAuthentication machine(setup(AuthMethod::password, verifier));
        Bytes out;
        machine.begin(out);
        return machine.resume(client::password("secret"), out).action;
    };
    EXPECT_EQ(told(with_count(100000)), "derive");
    for (const std::uint32_t iterations : {100001U, 0x7FFFFFFFU}) {
        const Action action = with_count(iterations);
        EXPECT_EQ(told(action), wrong);
        EXPECT_EQ(std::get<ClientAuthentication::Rejected>(action).reason,
                  "the verifier on file has " + std::to_string(iterations) +
                      " iterations, more than the 100000 that are computed for a password in clear: set the password "
                      "again with fewer, or let the rule ask for scram-sha-256");
    }
}

TEST(ClientAuthentication, checks_md5_responses) {
    const auto response = [](std::string_view password) {
        return client::password(auth::md5_response(auth::md5_hash(password, "alice"), "salt").reveal());
    };
    const Credential plain = auth::PlainPassword{Secret("secret")};
    const Credential md5 = auth::Md5Password{auth::md5_hash("secret", "alice")};
    EXPECT_EQ(answer(setup(AuthMethod::md5, plain), response("secret")), "accepted with password");
    EXPECT_EQ(answer(setup(AuthMethod::md5, md5), response("secret")), "accepted");
    for (const Credential& stored : {plain, md5}) {
        EXPECT_EQ(answer(setup(AuthMethod::md5, stored), response("Secret")), wrong);
        EXPECT_EQ(answer(setup(AuthMethod::md5, stored), client::password("secret")), wrong);
        EXPECT_EQ(answer(setup(AuthMethod::md5, stored), client::password("md5")), wrong);
    }
    EXPECT_EQ(scram_login(setup(AuthMethod::md5, stored_verifier()), "secret"), "accepted with keys");
}

TEST(ClientAuthentication, runs_scram) {
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, stored_verifier()), "secret"), "accepted with keys");
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, stored_verifier()), "Secret"), wrong);
    const Credential plain = auth::PlainPassword{Secret("secret")};
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, plain), "secret"), "accepted with password");
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, plain), "Secret"), wrong);
}

TEST(ClientAuthentication, cannot_tell_how_its_bytes_were_cut) {
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, stored_verifier()), "secret", test::byte_by_byte),
              "accepted with keys");
    const Bytes message = client::password("secret");
    for (const auto& portions : test::every_split(message)) {
        EXPECT_EQ(answer(setup(AuthMethod::password, auth::PlainPassword{Secret("secret")}), portions).action,
                  "accepted with password");
    }
}

TEST(ClientAuthentication, users_who_cannot_log_in_run_the_exchange_to_its_end) {
    const Credential md5 = auth::Md5Password{auth::md5_hash("secret", "alice")};
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256), "secret"), wrong);
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, auth::NoPassword{}), "secret"), wrong);
    EXPECT_EQ(scram_login(setup(AuthMethod::scram_sha_256, md5), "secret"), wrong);
}

TEST(ClientAuthentication, a_known_user_looks_like_an_unknown_one) {
    for (const std::uint32_t usual : {4096U, 10000U, 100000U}) {
        const auto challenge = [usual](std::optional<Credential> stored) {
            auto with = setup(AuthMethod::scram_sha_256, std::move(stored));
            with.usual_iterations = usual;
            return test::describe(answer(with, test::Portions{Client("x").first()}).out);
        };
        EXPECT_THAT(challenge(std::nullopt), testing::HasSubstr(",i=" + std::to_string(usual)));
        EXPECT_EQ(challenge(std::nullopt), challenge(auth::PlainPassword{Secret("secret")}));
        EXPECT_EQ(challenge(std::nullopt), challenge(auth::NoPassword{}));
    }
}

TEST(ClientAuthentication, never_derives_more_iterations_than_the_limit) {
    auto with = setup(AuthMethod::scram_sha_256, auth::PlainPassword{Secret("secret")});
    with.usual_iterations = 10'000'000;
    ClientAuthentication machine(std::move(with));
    Bytes out;
    EXPECT_EQ(std::get<auth::Derivation>(machine.begin(out)).iterations, 100000U);
}

TEST(ClientAuthentication, under_md5_an_unknown_user_looks_like_most) {
    const auto challenge = [](std::optional<Credential> stored, bool unknown_answer_md5) {
        auto with = setup(AuthMethod::md5, std::move(stored));
        with.unknown_answer_md5 = unknown_answer_md5;
        ClientAuthentication machine(std::move(with));
        Bytes out;
        machine.begin(out);
        return test::describe(out);
    };
    const Credential md5 = auth::Md5Password{auth::md5_hash("secret", "alice")};
    for (const std::optional<Credential>& nothing : {std::optional<Credential>(), {auth::NoPassword{}}}) {
        EXPECT_EQ(challenge(nothing, false), challenge(stored_verifier(), false));
        EXPECT_EQ(scram_login(setup(AuthMethod::md5, nothing), "secret"), wrong);
        EXPECT_EQ(challenge(nothing, true), challenge(md5, true));
        auto with = setup(AuthMethod::md5, nothing);
        with.unknown_answer_md5 = true;
        EXPECT_EQ(answer(with, client::password("md5")), wrong);
    }
    EXPECT_EQ(challenge(md5, false), challenge(md5, true));
    EXPECT_EQ(challenge(stored_verifier(), true), challenge(stored_verifier(), false));
}

// Expected texts: PostgreSQL 15.20's answers to the same bytes.
TEST(ClientAuthentication, refuses_malformed_password_messages) {
    for (const auto method : {AuthMethod::password, AuthMethod::md5}) {
        const auto with = setup(method, auth::PlainPassword{Secret("secret")});
        EXPECT_EQ(answer(with, client::message('p', "")), "08P01 invalid password packet size");
        EXPECT_EQ(answer(with, client::message('p', "secret")), "08P01 invalid password packet size");
        EXPECT_EQ(answer(with, client::message('p', ByteView("a\0bc\0", 5))), "08P01 invalid password packet size");
        EXPECT_EQ(answer(with, client::password("")), "28P01 empty password returned by client");
        EXPECT_EQ(answer(with, client::query("select 1")), "08P01 expected password response, got message type 81");
        for (const std::uint32_t length : {0U, 3U, 65536U, 70000U, 0x7FFFFFFFU, 0x80000001U, 0xFFFFFFFFU}) {
            EXPECT_EQ(answer(with, client::with_length('p', length)), "close") << length;
        }
        EXPECT_EQ(answer(with, client::with_length('p', 65535)), "need message");
    }
    EXPECT_EQ(answer(setup(AuthMethod::password, auth::PlainPassword{Secret(std::string(60000, 'x'))}),
                     client::password(std::string(60000, 'x'))),
              "accepted with password");
}

TEST(ClientAuthentication, refuses_malformed_sasl_messages) {
    const auto with = setup(AuthMethod::scram_sha_256, stored_verifier());
    const auto initial = [](std::string_view mechanism, std::uint32_t length, std::string_view data) {
        Bytes body = Bytes(mechanism) + '\0';
        for (int shift = 24; shift >= 0; shift -= 8) body += static_cast<char>(length >> shift);
        return client::message('p', body.append(data));
    };
    const std::string_view hello = "n,,n=,r=a";
    EXPECT_EQ(answer(with, client::message('p', "SCRAM")), "08P01 invalid string in message");
    EXPECT_EQ(answer(with, client::message('p', ByteView("SCRAM-SHA-256\0ab", 16))),
              "08P01 insufficient data left in message");
    EXPECT_EQ(answer(with, client::sasl_initial("SCRAM-SHA-1", hello)),
              "08P01 client selected an invalid SASL authentication mechanism");
    EXPECT_EQ(answer(with, client::sasl_initial("SCRAM-SHA-256-PLUS", hello)),
              "08P01 client selected an invalid SASL authentication mechanism");
    for (const std::uint32_t length : {0xFFFFFFFEU, 0x80000000U, 0x7FFFFFFFU, 500U, 10U}) {
        EXPECT_EQ(answer(with, initial("SCRAM-SHA-256", length, hello)), "08P01 insufficient data left in message")
            << length;
    }
    EXPECT_EQ(answer(with, initial("SCRAM-SHA-256", 8, hello)), "08P01 invalid message format");
    EXPECT_EQ(answer(with, initial("SCRAM-SHA-256", 0xFFFFFFFF, "abc")), "08P01 invalid message format");
    EXPECT_EQ(answer(with, initial("SCRAM-SHA-256", 0, "")), "08P01 malformed SCRAM message / The message is empty.");
    EXPECT_EQ(answer(with, initial("SCRAM-SHA-256", 0xFFFFFFFF, "")), "need message");
    for (const std::uint32_t length : {0U, 3U, 1025U, 70000U, 0x7FFFFFFFU, 0x80000001U, 0xFFFFFFFFU}) {
        EXPECT_EQ(answer(with, client::with_length('p', length)), wrong) << length;
    }
    EXPECT_EQ(answer(with, client::with_length('p', 1024)), "need message");
}

TEST(ClientAuthentication, the_identity_cannot_change_in_the_middle) {
    const auto with = setup(AuthMethod::scram_sha_256, stored_verifier());
    const Bytes hello = client::sasl_initial("SCRAM-SHA-256", "n,,n=,r=a");
    const std::string refusal = "08P01 expected SASL response, got message type 0";
    EXPECT_EQ(answer(with, hello + client::startup({{"user", "mallory"}})), refusal);

    ClientAuthentication machine(with);
    Bytes out;
    machine.begin(out);
    machine.resume(hello, out);
    const auto step = machine.resume(client::startup({{"user", "mallory"}}), out);
    EXPECT_EQ(told(step.action), refusal);
}

TEST(ClientAuthentication, any_other_message_type_ends_it) {
    const auto with = setup(AuthMethod::scram_sha_256, stored_verifier());
    for (int type = 0; type < 256; ++type) {
        if (type == 'p') continue;
        EXPECT_EQ(answer(with, Bytes(1, static_cast<char>(type))),
                  "08P01 expected SASL response, got message type " + std::to_string(type));
    }
}

TEST(ClientAuthentication, binds_the_channel_when_the_client_chooses_to) {
    auto with = setup(AuthMethod::scram_sha_256, stored_verifier());
    with.channel_binding = Bytes(32, 'h');
    ClientAuthentication machine(with);
    auth::ScramClient scram({Secret("secret"), Bytes(auth::scram_nonce_bytes, 'c'), 100000, Bytes(32, 'h'), true});
    Bytes out;
    machine.begin(out);
    out.clear();
    machine.resume(client::sasl_initial("SCRAM-SHA-256-PLUS", scram.first_message()), out);
    auto step = scram.resume(ByteView(out).substr(9));
    step = scram.resume(auth::derive(std::get<auth::Derivation>(step)));
    out.clear();
    const auto verdict = machine.resume(client::sasl_response(std::get<auth::ScramClient::Send>(step).message), out);
    EXPECT_EQ(told(verdict.action), "accepted with keys");
}

}  // namespace pgsluice::protocol
