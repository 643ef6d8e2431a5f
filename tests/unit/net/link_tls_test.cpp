#include "loop.hpp"
#include "support/certificates.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace pgsluice::net {
namespace {

namespace asio = boost::asio;
using ClientCertificate = TlsServerContext::ClientCertificate;
using Verify = TlsClientContext::Verify;

// Two authorities, a server's certificate and clients' ones, made once.
struct Pki {
    test::TemporaryDirectory directory;
    Pki() {
        const auto authority = test::make_certificate({.common_name = "test authority"});
        const auto stranger = test::make_certificate({.common_name = "another authority"});
        authority.write(file("ca.crt"));
        stranger.write(file("other_ca.crt"));
        const std::string names = "DNS:db.internal,DNS:*.pool.internal,IP:127.0.0.1";
        test::make_certificate({.common_name = "server", .alternative_names = names, .issuer = &authority})
            .write(file("server.crt"), file("server.key"));
        test::make_certificate({.common_name = "server",
                                .alternative_names = names,
                                .issuer = &authority,
                                .valid_from_seconds = -7200,
                                .valid_until_seconds = -3600})
            .write(file("expired.crt"), file("expired.key"));
        test::make_certificate({.common_name = "orders_rw", .issuer = &authority})
            .write(file("client.crt"), file("client.key"));
        test::make_certificate({.common_name = "orders_rw", .issuer = &stranger})
            .write(file("stranger.crt"), file("stranger.key"));
    }
    std::string file(const std::string& name) const { return directory / name; }
};

const Pki& pki() {
    static const Pki made;
    return made;
}

std::shared_ptr<const TlsServerContext> server_context(ClientCertificate mode = ClientCertificate::none,
                                                       const std::string& name = "server") {
    const auto loaded = TlsServerContext::load({.certificate = pki().file(name + ".crt"),
                                                .private_key = pki().file(name + ".key"),
                                                .client_ca = pki().file("ca.crt"),
                                                .client_certificate = mode});
    if (!loaded) ADD_FAILURE() << loaded.error().text;
    return *loaded;
}

std::shared_ptr<const TlsClientContext> client_context(Verify verify, const std::string& ca = "ca.crt",
                                                       const std::string& name = "") {
    const auto loaded = TlsClientContext::load({.verify = verify,
                                                .ca = ca.empty() ? "" : pki().file(ca),
                                                .certificate = name.empty() ? "" : pki().file(name + ".crt"),
                                                .private_key = name.empty() ? "" : pki().file(name + ".key")});
    if (!loaded) ADD_FAILURE() << loaded.error().text;
    return *loaded;
}

class LinkTls : public testing::Test {
  protected:
    LinkTls() {
        auto [near, far] = tcp_pair();
        shrink_buffers(near);
        shrink_buffers(far);
        client = Link::create(loop.reactor, std::move(near), Side::server);
        server = Link::create(loop.reactor, std::move(far), Side::client);
    }

    // Both sides shake hands; the texts of what failed, empty where it worked.
    void shake(std::shared_ptr<const TlsServerContext> accepting, std::shared_ptr<const TlsClientContext> connecting,
               const std::string& host) {
        std::optional<std::string> near_error;
        std::optional<std::string> far_error;
        const TimePoint until = in(Milliseconds(5000));
        const auto note = [](std::optional<std::string>& into) {
            return [&into](std::exception_ptr, Outcome<void> result) {
                into = result ? std::string() : result.error().text;
            };
        };
        asio::co_spawn(loop.io, server->accept_tls(std::move(accepting), until), note(far_error));
        asio::co_spawn(loop.io, client->connect_tls(std::move(connecting), host, until), note(near_error));
        ASSERT_TRUE(loop.run_until([&] { return near_error && far_error; }));
        client_error = *near_error;
        server_error = *far_error;
    }

    void start_both() {
        client->start(client_sink);
        server->start(server_sink);
    }

    void shake_well() {
        shake(server_context(), client_context(Verify::verify_full), "db.internal");
        ASSERT_EQ(client_error, "");
        ASSERT_EQ(server_error, "");
    }

    Loop loop;
    LinkPtr client;
    LinkPtr server;
    RecordingSink client_sink;
    RecordingSink server_sink;
    std::string client_error;
    std::string server_error;
};

TEST_F(LinkTls, CarriesBytesBothWays) {
    shake_well();
    EXPECT_TRUE(server->is_tls());
    start_both();
    for (int round = 0; round < 100; ++round) {
        client->write("ping");
        ASSERT_TRUE(loop.run_until([&] { return server_sink.received == "ping"; }));
        server->write("pong");
        ASSERT_TRUE(loop.run_until([&] { return client_sink.received == "pong"; }));
        client_sink.received.clear();
        server_sink.received.clear();
    }
    EXPECT_TRUE(client->at_rest());
    EXPECT_EQ(loop.reactor.traffic(Side::client).received_bytes, 400U);
}

TEST_F(LinkTls, MegabytesBothWaysAtOnceThroughASlowReaderStayIntact) {
    shake_well();
    start_both();
    const std::string up = pattern(5'000'000, 1);
    const std::string down = pattern(5'000'000, 2);
    std::size_t up_sent = 0;
    std::size_t down_sent = 0;
    int rounds = 0;
    ASSERT_TRUE(loop.run_until([&] {
        const auto feed = [](Link& link, const std::string& all, std::size_t& sent, std::size_t part) {
            if (link.congested() || sent == all.size()) return;
            const ByteView next = ByteView(all).substr(sent, part);
            sent += next.size();
            link.write(next);
        };
        feed(*client, up, up_sent, 150'001);
        feed(*server, down, down_sent, 70'003);
        // The reader on one side stops now and then, until the pipe is full.
        if (++rounds % 50 == 10) client->pause(Pause::slow_reader);
        if (rounds % 50 == 40) client->resume(Pause::slow_reader);
        if (up_sent == up.size() && down_sent == down.size()) client->resume(Pause::slow_reader);
        return client_sink.received.size() == down.size() && server_sink.received.size() == up.size();
    }));
    EXPECT_TRUE(server_sink.received == up);
    EXPECT_TRUE(client_sink.received == down);
    EXPECT_GT(client_sink.drained + server_sink.drained, 0);
    EXPECT_EQ(client->held_bytes() + server->held_bytes(), 0U);
}

TEST_F(LinkTls, RecordsThatSetupHasNotReadReachTheSink) {
    shake_well();
    char byte[1];
    client->write("abc");
    EXPECT_EQ(loop.await(server->read_exactly(byte, in(Milliseconds(5000)))), error_code());
    EXPECT_EQ(byte[0], 'a');
    server->start(server_sink);
    ASSERT_TRUE(loop.run_until([&] { return server_sink.received == "bc"; }));
}

TEST_F(LinkTls, BytesBehindAPauseInsideOpenSslAreNotForgotten) {
    shake_well();
    server_sink.consume = [&](ByteView) -> std::size_t {
        server->pause(Pause::no_server);
        return 0;
    };
    start_both();
    client->write(pattern(300'000));
    ASSERT_TRUE(loop.run_until([&] { return server_sink.calls == 1; }));
    server_sink.consume = nullptr;
    server->resume(Pause::no_server);
    ASSERT_TRUE(loop.run_until([&] { return server_sink.received.size() == 300'000; }));
    EXPECT_TRUE(server_sink.received == pattern(300'000));
}

TEST_F(LinkTls, CloseDeliversEverything) {
    shake_well();
    start_both();
    client->pause(Pause::slow_reader);
    std::string all;
    for (unsigned seed = 0; !server->congested(); ++seed) {
        all += pattern(100'000, seed);
        server->write(ByteView(all).substr(all.size() - 100'000));
    }
    server->close();
    server.reset();
    loop.run_for(Milliseconds(20));
    client->resume(Pause::slow_reader);
    ASSERT_TRUE(loop.run_until([&] { return client_sink.closed.has_value(); }));
    EXPECT_EQ(*client_sink.closed, Closed::by_peer);
    EXPECT_TRUE(client_sink.received == all);
}

TEST_F(LinkTls, APeerThatClosesWithoutNotifyHasEndedToo) {
    shake_well();
    start_both();
    client->write("bye");
    loop.poll();
    client.reset();
    ASSERT_TRUE(loop.run_until([&] { return server_sink.closed.has_value(); }));
    EXPECT_EQ(server_sink.received, "bye");
    EXPECT_EQ(*server_sink.closed, Closed::by_peer);
}

TEST_F(LinkTls, GarbageAfterTheHandshakeBreaksTheConnection) {
    shake_well();
    start_both();
    LinkParts parts;
    ASSERT_TRUE(loop.run_until([&] { return client->at_rest(); }));
    parts = client->detach();
    EXPECT_GT(::send(parts.socket.get(), "this is no record at all", 24, MSG_NOSIGNAL), 0);
    ASSERT_TRUE(loop.run_until([&] { return server_sink.closed.has_value(); }));
    EXPECT_EQ(*server_sink.closed, Closed::reset);
}

TEST_F(LinkTls, GoesOnInAnotherLoop) {
    shake_well();
    start_both();
    client->write("one");
    ASSERT_TRUE(loop.run_until([&] { return server_sink.received == "one" && server->at_rest(); }));
    LinkParts parts = server->detach();
    server.reset();
    loop.poll();
    Loop other;
    server = Link::attach(other.reactor, std::move(parts));
    RecordingSink second;
    server->start(second);
    client->write("two");
    ASSERT_TRUE(other.run_until([&] { return second.received == "two"; }));
    server->write("three");
    ASSERT_TRUE(loop.run_until([&] { return client_sink.received == "three"; }));
    EXPECT_EQ(server->tls_facts().version, "TLSv1.3");
    server.reset();
}

TEST_F(LinkTls, SendsNoRecordsLargerThanLibpqReadsAtOnce) {
    shake_well();
    start_both();
    ASSERT_TRUE(loop.run_until([&] { return client->at_rest(); }));
    const LinkParts parts = client->detach();
    server->write(pattern(100'000));
    std::string wire(200'000, '\0');
    std::size_t size = 0;
    ASSERT_TRUE(loop.run_until([&] {
        const ssize_t count = ::recv(parts.socket.get(), wire.data() + size, wire.size() - size, MSG_DONTWAIT);
        if (count > 0) size += static_cast<std::size_t>(count);
        return size > 100'000 && !server->congested();
    }));
    std::size_t at = 0;
    while (at + 5 <= size) {
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire[at + 3]) << 8 |
                                                     static_cast<unsigned char>(wire[at + 4]));
        EXPECT_LE(length, 8192U + 256U);
        at += 5 + length;
    }
    EXPECT_EQ(at, size);
}

TEST_F(LinkTls, TellsWhatWasAgreedOn) {
    shake(server_context(ClientCertificate::ask), client_context(Verify::verify_full, "ca.crt", "client"),
          "db.internal");
    ASSERT_EQ(server_error, "");
    const TlsFacts facts = server->tls_facts();
    EXPECT_EQ(facts.version, "TLSv1.3");
    EXPECT_NE(facts.cipher, "");
    EXPECT_GE(facts.cipher_bits, 128);
    EXPECT_EQ(facts.server_name, "db.internal");
    EXPECT_EQ(facts.alpn, "postgresql");
    EXPECT_TRUE(facts.peer_certificate);
    EXPECT_EQ(facts.common_name, "orders_rw");
    EXPECT_EQ(client->tls_facts().common_name, "server");
    EXPECT_EQ(server->tls_name(), "TLSv1.3/" + facts.cipher);
    EXPECT_EQ(client->tls_name(), server->tls_name());
}

// What both ends bind a login to; a certificate in between would be another one.
TEST_F(LinkTls, BothEndsKnowTheServersCertificate) {
    shake_well();
    const std::string hash = server->tls_facts().server_end_point;
    EXPECT_EQ(hash.size(), 32U);
    EXPECT_EQ(client->tls_facts().server_end_point, hash);
}

TEST_F(LinkTls, SendsNoServerNameForAnAddress) {
    shake(server_context(), client_context(Verify::verify_full), "127.0.0.1");
    ASSERT_EQ(client_error, "");
    EXPECT_EQ(server->tls_facts().server_name, "");
}

// Whom a client trusts.
struct TrustCase {
    const char* name;
    Verify verify;
    const char* ca;
    const char* server;
    const char* host;
    const char* error;  // the client's; empty: the handshake succeeds
};

class ServerTrust : public LinkTls, public testing::WithParamInterface<TrustCase> {};

TEST_P(ServerTrust, IsAsTheModeSays) {
    const TrustCase& expected = GetParam();
    shake(server_context(ClientCertificate::none, expected.server), client_context(expected.verify, expected.ca),
          expected.host);
    if (*expected.error == '\0') {
        EXPECT_EQ(client_error, "");
        EXPECT_EQ(server_error, "");
    } else {
        EXPECT_EQ(client_error, std::string("TLS handshake failed: certificate verify failed: ") + expected.error);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Modes, ServerTrust,
    testing::Values(TrustCase{"require_trusts_anyone", Verify::require, "", "expired", "elsewhere", ""},
                    TrustCase{"verify_ca_ignores_the_name", Verify::verify_ca, "ca.crt", "server", "elsewhere", ""},
                    TrustCase{"verify_ca_wrong_authority", Verify::verify_ca, "other_ca.crt", "server", "db.internal",
                              "unable to get local issuer certificate"},
                    TrustCase{"system_store_does_not_know_it", Verify::verify_ca, "", "server", "db.internal",
                              "unable to get local issuer certificate"},
                    TrustCase{"verify_ca_expired", Verify::verify_ca, "ca.crt", "expired", "db.internal",
                              "certificate has expired"},
                    TrustCase{"verify_full", Verify::verify_full, "ca.crt", "server", "db.internal", ""},
                    TrustCase{"verify_full_wildcard", Verify::verify_full, "ca.crt", "server", "a.pool.internal", ""},
                    TrustCase{"verify_full_address", Verify::verify_full, "ca.crt", "server", "127.0.0.1", ""},
                    TrustCase{"verify_full_wrong_host", Verify::verify_full, "ca.crt", "server", "elsewhere",
                              "hostname mismatch"},
                    TrustCase{"verify_full_wrong_address", Verify::verify_full, "ca.crt", "server", "127.0.0.2",
                              "IP address mismatch"},
                    TrustCase{"verify_full_expired", Verify::verify_full, "ca.crt", "expired", "db.internal",
                              "certificate has expired"}),
    [](const auto& test) { return test.param.name; });

TEST_F(LinkTls, NoHostPassesForACheckedOne) {
    const auto refused = loop.await(client->connect_tls(client_context(Verify::verify_full), "", never));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text, "TLS handshake failed: the host cannot be checked");
    EXPECT_EQ(refused.error().code, asio::error::connection_aborted);
}

TEST_F(LinkTls, ACertificateThatWasAskedForMayBeMissing) {
    shake(server_context(ClientCertificate::ask), client_context(Verify::verify_full), "db.internal");
    EXPECT_EQ(server_error, "");
    EXPECT_FALSE(server->tls_facts().peer_certificate);
}

TEST_F(LinkTls, ACertificateThatIsRequiredMayNotBeMissing) {
    shake(server_context(ClientCertificate::require), client_context(Verify::verify_full), "db.internal");
    EXPECT_EQ(server_error, "TLS handshake failed: peer did not return a certificate");
}

TEST_F(LinkTls, AClientCertificateOfAStrangerIsRefused) {
    for (const auto mode : {ClientCertificate::ask, ClientCertificate::require}) {
        auto [near, far] = tcp_pair();
        client = Link::create(loop.reactor, std::move(near), Side::server);
        server = Link::create(loop.reactor, std::move(far), Side::client);
        shake(server_context(mode), client_context(Verify::verify_full, "ca.crt", "stranger"), "db.internal");
        EXPECT_EQ(server_error,
                  "TLS handshake failed: certificate verify failed: unable to get local issuer certificate");
    }
}

TEST_F(LinkTls, AClientCertificateNotAskedForIsNotTrusted) {
    shake(server_context(), client_context(Verify::verify_full, "ca.crt", "client"), "db.internal");
    EXPECT_FALSE(server->tls_facts().peer_certificate);
}

TEST_F(LinkTls, PlainTextInsteadOfAHandshakeIsAnError) {
    client->write(std::string("\0\0\0\x08\x00\x03\x00\x00 plain startup", 22));
    const auto result = loop.await(server->accept_tls(server_context(), in(Milliseconds(5000))));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().text, "TLS handshake failed: wrong version number");
    EXPECT_EQ(result.error().code, asio::error::connection_aborted);
}

TEST_F(LinkTls, AHandshakeThatStallsTimesOut) {
    const auto stalled = loop.await(server->accept_tls(server_context(), in(Milliseconds(100))));
    ASSERT_FALSE(stalled.has_value());
    EXPECT_EQ(stalled.error().text, "TLS handshake timed out");
    EXPECT_EQ(stalled.error().code, asio::error::timed_out);
}

TEST_F(LinkTls, APeerThatLeavesDuringTheHandshakeIsAnError) {
    client.reset();
    const auto left = loop.await(server->accept_tls(server_context(), in(Milliseconds(5000))));
    ASSERT_FALSE(left.has_value());
    EXPECT_EQ(left.error().text, "TLS handshake failed: the peer closed the connection");
    EXPECT_EQ(left.error().code, asio::error::eof);
}

TEST_F(LinkTls, APeerThatLeavesWithHalfAHelloIsAnErrorAtOnce) {
    client->write(std::string("\x16\x03\x01\x01\x00\x01\x00\x00", 8));
    client.reset();
    loop.poll();
    const auto left = loop.await(server->accept_tls(server_context(), in(Milliseconds(5000))));
    ASSERT_FALSE(left.has_value());
    EXPECT_EQ(left.error().text, "TLS handshake failed: the peer closed the connection");
    EXPECT_EQ(left.error().code, asio::error::eof);
}

TEST_F(LinkTls, RefusesOldProtocols) {
    SSL_CTX* old = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    LinkParts parts;
    client->start(client_sink);
    loop.poll();
    parts = client->detach();
    SSL* ssl = SSL_new(old);
    SSL_set_fd(ssl, parts.socket.get());
    const int flags = ::fcntl(parts.socket.get(), F_GETFL);
    ::fcntl(parts.socket.get(), F_SETFL, flags | O_NONBLOCK);
    SSL_connect(ssl);
    const auto refused = loop.await(server->accept_tls(server_context(), in(Milliseconds(5000))));
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text, "TLS handshake failed: unsupported protocol");
    SSL_free(ssl);
    SSL_CTX_free(old);
}

TEST(TlsContext, ErrorsNameTheFile) {
    const auto missing =
        TlsServerContext::load({.certificate = "/nowhere/server.crt", .private_key = "x", .client_ca = ""});
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().text, "could not load certificate \"/nowhere/server.crt\": No such file or directory");

    const auto wrong_key = TlsServerContext::load(
        {.certificate = pki().file("server.crt"), .private_key = pki().file("client.key"), .client_ca = ""});
    ASSERT_FALSE(wrong_key.has_value());
    EXPECT_EQ(wrong_key.error().text,
              "could not load private key \"" + pki().file("client.key") + "\": key values mismatch");

    const auto no_ca = TlsClientContext::load({.ca = pki().file("server.key"), .certificate = "", .private_key = ""});
    ASSERT_FALSE(no_ca.has_value());
    EXPECT_NE(no_ca.error().text.find(pki().file("server.key")), std::string::npos);
}

TEST(TlsContext, KnowsWhenItsCertificateExpires) {
    const auto left = server_context()->certificate_expiry() - std::chrono::system_clock::now();
    EXPECT_GT(left, std::chrono::hours(23));
    EXPECT_LE(left, std::chrono::hours(24));
    EXPECT_LT(server_context(ClientCertificate::none, "expired")->certificate_expiry(),
              std::chrono::system_clock::now());
    EXPECT_EQ(client_context(Verify::verify_full)->certificate_expiry(), std::chrono::system_clock::time_point::max());
}

}  // namespace
}  // namespace pgsluice::net
