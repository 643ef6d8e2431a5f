#include "feed.hpp"

#include <pgsluice/auth/md5.hpp>
#include <pgsluice/auth/scram_server.hpp>
#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/server_login.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>

namespace pgsluice::protocol {
namespace {

namespace client = test::client;
namespace server = test::server;
using Action = ServerLogin::Action;
using Reason = ServerLogin::Reason;

const Bytes salt = "sodium chloride!";

auth::ScramKeys keys() {
    static const auto derived = auth::derive("secret", salt, 4096);
    return derived;
}

ServerLogin::Setup setup(ServerLogin::Password password = auth::PlainPassword{Secret("secret")}) {
    ServerLogin::Setup made;
    made.user = "app";
    made.database = "orders";
    made.parameters = {{"timezone", "UTC"}};
    made.password = std::move(password);
    made.nonce = Bytes(auth::scram_nonce_bytes, 'c');
    return made;
}

// The server's half of SCRAM, as frames.
class Server {
  public:
    explicit Server(bool doomed = false, std::string_view password = "secret")
        : scram_({auth::ScramVerifier::from_keys(auth::derive(password, salt, 4096), salt, 4096),
                  doomed,
                  Bytes(auth::scram_nonce_bytes, 's'),
                  {},
                  false}) {}
    Bytes challenge(ByteView initial_response) {
        wire::Reader body(initial_response.substr(5));
        body.string();
        body.int32();
        return server::authentication_sasl_continue(
            std::get<auth::ScramServer::Continue>(scram_.resume(body.remaining())).message);
    }
    Bytes verdict(ByteView response) {
        const auto step = scram_.resume(response.substr(5));
        if (const auto* accepted = std::get_if<auth::ScramServer::Accepted>(&step)) {
            return server::authentication_sasl_final(accepted->message);
        }
        return server::fatal("28P01", "password authentication failed for user \"app\"");
    }

  private:
    auth::ScramServer scram_;
};

std::string told(const Action& action) {
    if (std::holds_alternative<ServerLogin::NeedMore>(action)) return "need more";
    if (std::holds_alternative<auth::Derivation>(action)) return "derive";
    if (const auto* done = std::get_if<ServerLogin::Done>(&action)) {
        return "done " + std::to_string(done->process_id) + " " + done->cancel_secret;
    }
    const auto& failed = std::get<ServerLogin::Failed>(action);
    constexpr const char* words[] = {"refused", "password", "imposter", "violation"};
    return std::string(words[static_cast<int>(failed.reason)]) + ": " +
           (failed.reason == Reason::refused ? failed.sqlstate + (failed.authenticated ? " (in)" : "") : failed.text);
}

bool is_waiting(const Action& action) {
    return std::holds_alternative<ServerLogin::NeedMore>(action);
}

// What comes of a server that says `stream` whatever we send.
std::string outcome(const Bytes& stream, ServerLogin::Setup with = setup(), Bytes* sent = nullptr) {
    ServerLogin login(std::move(with));
    Bytes out, unread;
    login.begin(out);
    out.clear();
    const auto action = test::feed(login, {stream}, out, is_waiting, unread);
    if (sent != nullptr) *sent = out;
    return told(action);
}

// Up to our first message of SCRAM, which is in `out`.
void begin_scram(ServerLogin& login, Bytes& out) {
    login.begin(out);
    out.clear();
    login.resume(server::authentication_sasl(), out);
}

// A SCRAM login against `peer`, its bytes cut by `cut`.
template <class Cut>
std::string scram_login(ServerLogin::Setup with, Server peer, Cut cut, const Bytes& end = server::login()) {
    ServerLogin login(std::move(with));
    Bytes out, unread;
    login.begin(out);
    out.clear();
    const auto say = [&](const Bytes& bytes) {
        out.clear();
        auto action = test::feed(login, cut(bytes), out, is_waiting, unread);
        if (auto* wanted = std::get_if<auth::Derivation>(&action)) action = login.resume(auth::derive(*wanted), out);
        return told(action);
    };
    auto action = say(server::authentication_sasl());
    if (action == "need more") action = say(peer.challenge(out));
    if (action == "need more") action = say(peer.verdict(out));
    if (action == "need more") action = say(end);
    return action;
}
std::string scram_login(ServerLogin::Setup with, Server peer = Server(), const Bytes& end = server::login()) {
    return scram_login(
        std::move(with), std::move(peer), [](ByteView bytes) { return test::Portions{bytes}; }, end);
}

const Bytes parameters = server::parameter_status("server_version", "15.14");

}  // namespace

TEST(ServerLogin, says_who_it_is) {
    ServerLogin login(setup());
    Bytes out;
    EXPECT_EQ(told(login.begin(out)), "need more");
    EXPECT_EQ(out, client::startup({{"user", "app"}, {"database", "orders"}, {"timezone", "UTC"}}));
}

TEST(ServerLogin, logs_in_without_a_password) {
    EXPECT_EQ(outcome(server::login(), setup(auth::NoPassword{})), "done 4711 key!");
}

TEST(ServerLogin, gives_what_the_server_reported) {
    ServerLogin login(setup());
    Bytes out, unread;
    const Bytes stream = server::authentication_ok() + server::parameter_status("a", "1") +
                         server::parameter_status("b", "2") + server::notice("hello") +
                         server::notification(1, "channel") + server::parameter_status("a", "3") + server::ready();
    for (const auto& portions : test::every_split(stream)) {
        ServerLogin machine(setup());
        Bytes rest;
        const auto action = test::feed(machine, portions, out, is_waiting, rest);
        const auto* done = std::get_if<ServerLogin::Done>(&action);
        ASSERT_NE(done, nullptr);
        EXPECT_EQ(done->parameters, (std::vector<wire::Setting>{{"a", "3"}, {"b", "2"}}));
        EXPECT_EQ(done->cancel_secret, "");
        EXPECT_EQ(rest, "");
    }
}

TEST(ServerLogin, leaves_what_follows_ready_for_query) {
    ServerLogin login(setup());
    Bytes out;
    const Bytes stream = server::login();
    const auto step = login.resume(stream + server::notice("later"), out);
    EXPECT_EQ(told(step.action), "done 4711 key!");
    EXPECT_EQ(step.consumed, stream.size());
}

TEST(ServerLogin, takes_long_cancel_keys) {
    EXPECT_EQ(outcome(server::authentication_ok() + server::backend_key_data(1, Bytes(32, 'k')) + server::ready()),
              "done 1 " + Bytes(32, 'k'));
}

TEST(ServerLogin, answers_a_request_for_a_cleartext_password) {
    Bytes sent;
    EXPECT_EQ(outcome(server::authentication_cleartext() + server::login(), setup(), &sent), "done 4711 key!");
    EXPECT_EQ(sent, client::password("secret"));
    auto strict = setup();
    strict.allow_cleartext = false;
    EXPECT_TRUE(outcome(server::authentication_cleartext(), strict, &sent).starts_with("password: "));
    EXPECT_EQ(sent, "");
    for (const ServerLogin::Password& password :
         {ServerLogin::Password(auth::NoPassword{}), ServerLogin::Password(keys()),
          ServerLogin::Password(auth::Md5Password{auth::md5_hash("secret", "app")})}) {
        EXPECT_TRUE(outcome(server::authentication_cleartext(), setup(password)).starts_with("password: "));
    }
}

TEST(ServerLogin, answers_a_request_for_an_md5_password) {
    const auto expected = client::password(auth::md5_response(auth::md5_hash("secret", "app"), "salt").reveal());
    const auto hash = auth::Md5Password{auth::md5_hash("secret", "app")};
    for (const ServerLogin::Password& password :
         {ServerLogin::Password(auth::PlainPassword{Secret("secret")}), ServerLogin::Password(hash)}) {
        Bytes sent;
        EXPECT_EQ(outcome(server::authentication_md5("salt") + server::login(), setup(password), &sent),
                  "done 4711 key!");
        EXPECT_EQ(sent, expected);
    }
    EXPECT_TRUE(outcome(server::authentication_md5("salt"), setup(keys())).starts_with("password: "));
    EXPECT_TRUE(outcome(server::authentication_md5("salt"), setup(auth::NoPassword{})).starts_with("password: "));
    EXPECT_TRUE(outcome(server::authentication_md5("sal")).starts_with("violation: "));
    EXPECT_TRUE(outcome(server::authentication_md5("saltsalt")).starts_with("violation: "));
}

TEST(ServerLogin, runs_scram) {
    EXPECT_EQ(scram_login(setup()), "done 4711 key!");
    EXPECT_EQ(scram_login(setup(keys())), "done 4711 key!");
    EXPECT_EQ(scram_login(setup(), Server(), test::byte_by_byte), "done 4711 key!");
    EXPECT_EQ(scram_login(setup(), Server(true)), "refused: 28P01");
    EXPECT_EQ(scram_login(setup(), Server(false, "other")), "refused: 28P01");
    EXPECT_TRUE(outcome(server::authentication_sasl(), setup(auth::NoPassword{})).starts_with("password: "));
}

TEST(ServerLogin, binds_the_channel_where_the_server_can) {
    auto with = setup();
    with.channel_binding = Bytes(32, 'h');
    Bytes sent;
    outcome(server::authentication_sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}), with, &sent);
    EXPECT_NE(sent.find("SCRAM-SHA-256-PLUS"), Bytes::npos);
    EXPECT_NE(sent.find("p=tls-server-end-point,,"), Bytes::npos);
    outcome(server::authentication_sasl(), with, &sent);
    EXPECT_EQ(sent.find("PLUS"), Bytes::npos);
    EXPECT_NE(sent.find("y,,n="), Bytes::npos);
    outcome(server::authentication_sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}), setup(), &sent);
    EXPECT_EQ(sent.find("PLUS"), Bytes::npos);
    EXPECT_NE(sent.find("n,,n="), Bytes::npos);
    EXPECT_TRUE(outcome(server::authentication_sasl({"SCRAM-SHA-256-PLUS"})).starts_with("password: "));
}

// Whoever stands in between cannot offer SCRAM-SHA-256-PLUS for his own TLS, so he offers less.
TEST(ServerLogin, takes_nothing_less_where_channel_binding_is_required) {
    auto with = setup();
    with.channel_binding = Bytes(32, 'h');
    with.requires_channel_binding = true;
    Bytes sent;
    EXPECT_EQ(outcome(server::authentication_sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}), with, &sent), "need more");
    for (const Bytes& less : {server::authentication_sasl(), server::authentication_ok(),
                              server::authentication_md5("salt"), server::authentication_cleartext()}) {
        EXPECT_TRUE(outcome(less, with, &sent).starts_with("imposter: ")) << test::describe(less);
        EXPECT_EQ(sent.find("secret"), Bytes::npos);
    }
    with.channel_binding.clear();
    EXPECT_TRUE(outcome(server::authentication_sasl({"SCRAM-SHA-256-PLUS"}), with, &sent).starts_with("imposter: "));
}

// A man in the middle who lets us begin and then waves us through has proved nothing.
TEST(ServerLogin, an_ok_cannot_cut_scram_short) {
    EXPECT_TRUE(outcome(server::authentication_sasl() + server::login()).starts_with("imposter: "));
    ServerLogin login(setup(keys()));
    Bytes out;
    begin_scram(login, out);
    const Bytes challenge = Server().challenge(out);
    out.clear();
    EXPECT_TRUE(told(login.resume(challenge + server::login(), out).action).starts_with("imposter: "));
}

TEST(ServerLogin, refuses_a_wrong_signature) {
    for (const Bytes& last :
         {server::authentication_sasl_final("v=" + Bytes(43, 'A') + "="), server::authentication_sasl_final(""),
          server::authentication_sasl_final("e=other-error")}) {
        ServerLogin login(setup(keys()));
        Bytes out;
        begin_scram(login, out);
        const Bytes challenge = Server().challenge(out);
        login.resume(challenge, out);
        EXPECT_TRUE(told(login.resume(last + server::login(), out).action).starts_with("imposter: "));
    }
}

TEST(ServerLogin, scram_messages_must_come_in_their_own_frames) {
    for (const bool swap_first : {true, false}) {
        ServerLogin login(setup(keys()));
        Server peer;
        Bytes out;
        begin_scram(login, out);
        Bytes message = peer.challenge(out);
        if (swap_first) {
            message[8] = 12;
        } else {
            out.clear();
            login.resume(message, out);
            message = peer.verdict(out);
            message[8] = 11;
        }
        EXPECT_TRUE(told(login.resume(message, out).action).starts_with("violation: the server's SCRAM messages"))
            << swap_first;
    }
}

TEST(ServerLogin, caps_the_iterations) {
    const std::string nonce = "r=" + std::string("Y2NjY2NjY2NjY2NjY2NjY2Nj") + "srv";  // base64 of eighteen 'c'
    const auto asked = [&](const std::string& count) {
        return outcome(server::authentication_sasl() +
                       server::authentication_sasl_continue(nonce + ",s=AAAA,i=" + count));
    };
    EXPECT_EQ(asked("100000"), "derive");
    EXPECT_EQ(asked("2147483647"), "imposter: the server asks for 2147483647 SCRAM iterations, the limit is 100000");
    EXPECT_TRUE(asked("99999999999999999999").starts_with("imposter: "));
}

TEST(ServerLogin, reports_the_servers_refusal) {
    EXPECT_EQ(outcome(server::fatal("28000", "no pg_hba.conf entry")), "refused: 28000");
    EXPECT_EQ(outcome(server::authentication_ok() + server::fatal("3D000", "database does not exist")),
              "refused: 3D000 (in)");
    EXPECT_EQ(outcome(server::fatal("57P03", "the database system is starting up")), "refused: 57P03");
    ServerLogin login(setup());
    Bytes out;
    const auto action = login.resume(server::fatal("53300", "too many"), out).action;
    const auto& failed = std::get<ServerLogin::Failed>(action);
    EXPECT_EQ(failed.message, "too many");
    EXPECT_EQ(failed.text, "the server refused the login: too many (53300)");
}

TEST(ServerLogin, reads_errors_that_lack_fields) {
    EXPECT_EQ(outcome(server::message('E', ByteView("Monly\0\0", 7))), "refused: XX000");
    EXPECT_EQ(outcome(server::message('E', ByteView("\0", 1))), "refused: XX000");
    EXPECT_EQ(outcome(server::message('E', ByteView("C12\0\0", 5))), "refused: XX000");
    EXPECT_EQ(outcome(server::message('E', ByteView("Cab\n\x1b'\0\0", 8))), "refused: XX000");
    EXPECT_TRUE(outcome(server::message('E', "")).starts_with("violation: "));
    EXPECT_TRUE(outcome(server::message('E', "Mno end")).starts_with("violation: "));
    EXPECT_TRUE(outcome(server::message('E', ByteView("Mno end\0", 8))).starts_with("violation: "));
}

TEST(ServerLogin, takes_notices_and_parameters_at_any_time) {
    const Bytes noise = server::notice("hello") + server::parameter_status("x", "y") + server::notification(1, "c");
    EXPECT_EQ(outcome(noise + server::authentication_cleartext() + noise + server::login()), "done 4711 key!");
}

TEST(ServerLogin, takes_one_negotiation_of_the_protocol) {
    const Bytes negotiate = server::negotiate_protocol_version(3 << 16);
    EXPECT_EQ(outcome(negotiate + server::login()), "done 4711 key!");
    EXPECT_TRUE(outcome(negotiate + negotiate).starts_with("violation: "));
    EXPECT_TRUE(outcome(server::authentication_ok() + negotiate).starts_with("violation: "));
}

TEST(ServerLogin, refuses_every_other_order) {
    const Bytes ok = server::authentication_ok(), ready = server::ready(), key = server::backend_key_data(1, "abcd");
    for (const Bytes& stream : {ready,
                                key,
                                ok + ok,
                                ok + server::authentication_cleartext(),
                                ok + key + key,
                                ok + server::ready('T'),
                                ok + server::ready('E'),
                                ok + server::ready('x'),
                                server::authentication_cleartext() + server::authentication_cleartext(),
                                server::authentication_md5("salt") + server::authentication_sasl(),
                                server::authentication_sasl_continue("r=x"),
                                server::authentication_sasl_final("v=x"),
                                server::authentication(0, "x"),
                                server::authentication(3, "x"),
                                server::authentication(10, ""),
                                server::authentication(10, "SCRAM-SHA-256"),
                                server::message('R', "abc"),
                                ok + server::one_row("1"),
                                server::copy_in_response(),
                                server::copy_data("x"),
                                server::parse_complete(),
                                ok + server::message('S', "no NUL"),
                                ok + server::message('S', ByteView("name\0value", 10)),
                                ok + server::message('K', "abc"),
                                ok + server::backend_key_data(1, ""),
                                ok + server::backend_key_data(1, Bytes(257, 'k'))}) {
        EXPECT_TRUE(outcome(stream).starts_with("violation: ")) << test::describe(stream) << outcome(stream);
    }
}

TEST(ServerLogin, refuses_methods_that_it_does_not_speak) {
    for (const std::int32_t code : {1, 2, 4, 6, 7, 8, 9, 13, 999, -1}) {
        EXPECT_EQ(outcome(server::authentication(code)), "password: the server asks for authentication method " +
                                                             std::to_string(code) + ", which is not supported");
    }
    EXPECT_EQ(outcome(server::authentication_sasl({"OAUTHBEARER"})),
              "password: the server offers no SASL mechanism that is supported");
    EXPECT_EQ(outcome(server::authentication_sasl({})),
              "password: the server offers no SASL mechanism that is supported");
}

TEST(ServerLogin, refuses_what_is_no_postgresql) {
    for (const Bytes& stream :
         {Bytes("HTTP/1.1 400 Bad Request\r\n"), Bytes("SSH-2.0-OpenSSH_9.2\r\n"), Bytes("\x16\x03\x01\x02"),
          Bytes("\0", 1), server::with_length('R', 3), server::with_length('R', 0x7FFFFFFF),
          server::with_length('E', 0x3FFFFFF0), server::with_length('N', 65536), server::with_length('S', 0xFFFFFFFF),
          server::with_length('Z', 6)}) {
        EXPECT_TRUE(outcome(stream).starts_with("violation: ")) << escaped(stream);
    }
    EXPECT_EQ(outcome(server::with_length('E', 60000)), "need more");
}

TEST(ServerLogin, a_server_cannot_report_parameters_without_end) {
    Bytes stream = server::authentication_ok();
    for (int i = 0; i < 100; ++i) stream += server::parameter_status("p" + std::to_string(i), "v");
    EXPECT_EQ(outcome(stream + server::parameter_status("p0", "again")), "need more");
    EXPECT_EQ(outcome(stream + server::parameter_status("p100", "v")),
              "violation: the server reports too many parameters");
}

TEST(ServerLogin, a_server_cannot_report_parameters_of_any_length) {
    const Bytes half(most_reported_at_login / 2, 'x');
    Bytes stream = server::authentication_ok();
    for (int i = 0; i < 10; ++i) stream += server::parameter_status("p", half);
    EXPECT_EQ(outcome(stream), "need more");
    EXPECT_EQ(outcome(stream + server::parameter_status("q", half)),
              "violation: the parameters that the server reports are too long");
}

TEST(ServerLogin, keeps_what_came_behind_the_message_that_asked_for_keys) {
    ServerLogin login(setup());
    Bytes out;
    begin_scram(login, out);
    const Bytes challenge = Server().challenge(out);
    const auto step = login.resume(challenge + server::notice("early"), out);
    ASSERT_EQ(told(step.action), "derive");
    EXPECT_EQ(step.consumed, challenge.size());
}

TEST(SslAnswer, is_one_letter) {
    EXPECT_EQ(ssl_answer('S'), SslAnswer::accepted);
    EXPECT_EQ(ssl_answer('N'), SslAnswer::refused);
    for (const char other : {'E', 's', '\0', 'H'}) EXPECT_EQ(ssl_answer(other), SslAnswer::unexpected);
}

}  // namespace pgsluice::protocol
