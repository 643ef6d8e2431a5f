#include "snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/certificates.hpp>
#include <unit/daemon/one_route.hpp>

namespace pgsluice::daemon {
namespace {

using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Problems = std::vector<std::string>;

config::Config configuration() {
    config::Config config = test::one_route({{"db1", 5432}, {"db2", 5433}});
    config.path = "pgsluice.yaml";
    return config;
}
std::shared_ptr<const Snapshot> built(config::Config config, const Snapshot* before = nullptr) {
    auto made = Snapshot::build(std::move(config), before);
    if (const auto* problems = std::get_if<Problems>(&made)) {
        ADD_FAILURE() << testing::PrintToString(*problems);
        std::abort();
    }
    return std::get<std::shared_ptr<const Snapshot>>(made);
}
Problems problems_of(config::Config config) {
    auto made = Snapshot::build(std::move(config));
    const auto* problems = std::get_if<Problems>(&made);
    return problems == nullptr ? Problems{} : *problems;
}

config::AuthQuery query_as(std::string user) {
    config::AuthQuery made;
    made.user = std::move(user);
    return made;
}
config::User user(std::string name, std::string password) {
    config::User made;
    made.name = std::move(name);
    made.password = Secret(std::move(password));
    return made;
}
std::string password_of(const Users::Entry* entry) {
    if (entry == nullptr) return "(none)";
    return std::string(std::get<auth::PlainPassword>(entry->credential).value.reveal());
}

TEST(Snapshot, says_all_that_is_wrong_at_once) {
    config::Config config = configuration();
    config::Policy fine, broken;
    fine.name = "fine";
    broken.name = "broken";
    broken.when.pattern = "(";
    config.policies = {fine, broken};
    config::Listener listener;
    listener.address = "127.0.0.1";
    listener.tls.mode = config::ListenerTlsMode::require;
    listener.tls.certificate = listener.tls.private_key = "/nowhere/listener.pem";
    config.listeners = {listener};
    config.clusters[0].tls.mode = config::ServerTlsMode::verify_ca;
    config.clusters[0].tls.ca = "/nowhere/ca.pem";
    EXPECT_THAT(problems_of(config),
                ElementsAre(StartsWith("pgsluice.yaml: policies[1].when.pattern: "),
                            AllOf(StartsWith("pgsluice.yaml: listeners: 127.0.0.1:5432: "), HasSubstr("/nowhere/")),
                            AllOf(StartsWith("pgsluice.yaml: clusters.main.tls: "), HasSubstr("/nowhere/ca.pem"))));
}

TEST(Snapshot, knows_how_many_iterations_most_verifiers_have) {
    const auto verifier = [](int iterations) {
        const std::string key(43, 'A');
        return "SCRAM-SHA-256$" + std::to_string(iterations) + ":c2FsdA==$" + key + "=:" + key + "=";
    };
    config::Config config = configuration();
    config.auth.source.users = {user("plain", "secret")};
    EXPECT_EQ(built(config)->usual_iterations, 4096U);
    config.auth.source.users = {user("a", verifier(4096)), user("b", verifier(10000)), user("c", "secret")};
    config.clusters[0].source.users = {user("d", verifier(10000))};
    EXPECT_EQ(built(config)->usual_iterations, 10000U);
}

TEST(Snapshot, knows_whether_anybody_may_have_a_verifier) {
    const std::string verifier =
        "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$" + std::string(43, 'A') + "=:" + std::string(43, 'A') + "=";
    config::Config config = configuration();
    config.auth.source.users = {user("alice", "plain"), user("bob", "md5" + std::string(32, '0')), user("carol", "")};
    EXPECT_FALSE(built(config)->has_verifiers);
    config::Config listed = config, of_cluster = config, asked = config, asked_by_cluster = config;
    listed.auth.source.users.push_back(user("dave", verifier));
    of_cluster.clusters[0].source.users = {user("dave", verifier)};
    asked.auth.source.query = query_as("lookup");
    asked_by_cluster.clusters[0].source.query = query_as("lookup");
    for (const auto& each : {listed, of_cluster, asked, asked_by_cluster}) EXPECT_TRUE(built(each)->has_verifiers);
}

TEST(Snapshot, finds_clusters_and_routes_by_name) {
    const auto snapshot = built(configuration());
    EXPECT_EQ(snapshot->cluster("main"), &snapshot->config.clusters[0]);
    EXPECT_EQ(snapshot->cluster("other"), nullptr);
    EXPECT_EQ(snapshot->route("all"), &snapshot->config.routes[0]);
    EXPECT_EQ(snapshot->route("main"), nullptr);
    EXPECT_EQ(snapshot->routes.choose({.database = "orders", .user = "ann"}), &snapshot->config.routes[0]);
}

TEST(Snapshot, makes_a_rulebook_of_policies_and_limits) {
    config::Config config = configuration();
    config.limits.inspect_bytes = 1234;
    config.policies.resize(1);
    config.policies[0].name = "audit";
    const auto snapshot = built(config);
    EXPECT_EQ(snapshot->rulebook->limits.inspect_bytes, 1234U);
    EXPECT_EQ(snapshot->rulebook->policies.name(0), "audit");
}

TEST(Snapshot, judges_by_the_same_rules_where_a_reload_has_not_changed_them) {
    config::Config config = configuration();
    config.policies.resize(1);
    config.policies[0].name = "audit";
    const auto before = built(config);
    const auto rules = [](const std::shared_ptr<const Snapshot>& snapshot) {
        return snapshot->rulebook->policies.for_principal({});
    };
    config.limits.inspect_bytes = 1234;
    EXPECT_EQ(rules(before), rules(built(config, before.get())));
    EXPECT_FALSE(rules(before) == rules(built(config)));
    config.policies[0].when.users = {"ann", "*"};
    EXPECT_FALSE(rules(before) == rules(built(config, before.get())));
    config.policies[0].when = {};
    config.on_unparsable = config::OnUnparsable::allow;
    EXPECT_FALSE(rules(before) == rules(built(config, before.get())));
}

// --- TLS

class SnapshotTls : public testing::Test {
  protected:
    SnapshotTls() { certificate.write(folder / "cert.pem", folder / "key.pem"); }

    TemporaryDirectory folder;
    test::Certificate certificate = test::make_certificate({.common_name = "localhost"});
};

TEST_F(SnapshotTls, is_loaded_for_each_listener_that_has_it) {
    config::Config config = configuration();
    config::Listener plain, secure;
    plain.address = secure.address = "127.0.0.1";
    secure.port = 5433;
    secure.tls = {config::ListenerTlsMode::require, folder / "cert.pem", folder / "key.pem", ""};
    config.listeners = {plain, secure};
    const auto snapshot = built(config);
    ASSERT_EQ(snapshot->listener_tls.size(), 2U);
    EXPECT_EQ(snapshot->listener_tls[0], nullptr);
    ASSERT_NE(snapshot->listener_tls[1], nullptr);
    const auto certificates = snapshot->certificates();
    ASSERT_EQ(certificates.size(), 1U);
    EXPECT_EQ(certificates[0].use, "listener");
    EXPECT_EQ(certificates[0].name, "127.0.0.1:5433");
    EXPECT_EQ(certificates[0].file, folder / "cert.pem");
    EXPECT_NEAR(static_cast<double>(certificates[0].expires_at_seconds),
                static_cast<double>(std::time(nullptr) + 24 * 3600), 600);
}

TEST_F(SnapshotTls, is_loaded_for_each_cluster_that_has_it) {
    config::Config config = configuration();
    config::Cluster secure = config.clusters[0], trusting = secure;
    secure.name = "secure";
    secure.tls.ca = secure.tls.certificate = folder / "cert.pem";
    secure.tls.private_key = folder / "key.pem";
    secure.tls.mode = config::ServerTlsMode::verify_full;
    trusting.name = "trusting";
    trusting.tls.mode = config::ServerTlsMode::prefer;
    config.clusters.push_back(secure);
    config.clusters.push_back(trusting);
    const auto snapshot = built(config);
    EXPECT_EQ(snapshot->tls_of("main"), nullptr);
    EXPECT_NE(snapshot->tls_of("secure"), nullptr);
    EXPECT_NE(snapshot->tls_of("trusting"), nullptr);
    EXPECT_EQ(snapshot->tls_of("unknown"), nullptr);
    const auto certificates = snapshot->certificates();
    ASSERT_EQ(certificates.size(), 1U) << "of the two, one shows a certificate of ours";
    EXPECT_EQ(certificates[0].use, "cluster");
    EXPECT_EQ(certificates[0].name, "secure");
}

TEST_F(SnapshotTls, is_not_for_unix_sockets) {
    config::Config config = configuration();
    config.clusters[0].tls.mode = config::ServerTlsMode::verify_full;
    config.clusters[0].tls.ca = "/nowhere/ca.pem";
    config.clusters[0].servers = {{"/run/postgresql", 5432}};
    EXPECT_EQ(built(config)->tls_of("main"), nullptr);
    config.clusters[0].servers.push_back({"db1", 5432});
    EXPECT_EQ(problems_of(config).size(), 1U);
}

// --- Users

TEST(SnapshotUsers, of_a_cluster_stand_in_front_of_those_for_all) {
    config::Config config = configuration();
    config.clusters[0].source.users = {user("ann", "own"), user("ann", "second")};
    config.auth.source.users = {user("ann", "common"), user("bob", "common")};
    const auto snapshot = built(config);
    EXPECT_EQ(password_of(snapshot->find_user("main", "ann")), "own");
    EXPECT_EQ(password_of(snapshot->find_user("main", "bob")), "common");
    EXPECT_EQ(password_of(snapshot->find_user("other", "ann")), "common");
    EXPECT_EQ(password_of(snapshot->find_user("main", "Ann")), "(none)");
}

TEST(SnapshotUsers, are_asked_for_by_the_clusters_own_query_first) {
    config::Config config = configuration();
    EXPECT_EQ(built(config)->auth_query("main"), nullptr);
    config.auth.source.query = query_as("common");
    EXPECT_EQ(built(config)->auth_query("main")->user, "common");
    config.clusters[0].source.query = query_as("own");
    EXPECT_EQ(built(config)->auth_query("main")->user, "own");
    EXPECT_EQ(built(config)->auth_query("other")->user, "common");
}

TEST(SnapshotUsers, override_their_routes_time_limits_and_routes_those_for_all) {
    config::Config config = configuration();
    config.timeouts.client = {Milliseconds(1), Milliseconds(2), Milliseconds(3), Milliseconds(4)};
    config.routes[0].timeouts = {{}, Milliseconds(20), Milliseconds(30), {}};
    config::User ann = user("ann", "secret");
    ann.timeouts = {{}, {}, Milliseconds(300), Milliseconds(0)};
    config.auth.source.users = {ann};
    const auto snapshot = built(config);
    const auto limits_of = [&](const Users::Entry* entry) {
        const auto limits = snapshot->timeouts(snapshot->config.routes[0], entry);
        return std::vector<long>{limits.query.count(), limits.transaction.count(), limits.idle_transaction.count(),
                                 limits.client_idle.count()};
    };
    EXPECT_THAT(limits_of(nullptr), ElementsAre(1, 20, 30, 4));
    EXPECT_THAT(limits_of(snapshot->find_user("main", "ann")), ElementsAre(1, 20, 300, 0));
}

}  // namespace
}  // namespace pgsluice::daemon
