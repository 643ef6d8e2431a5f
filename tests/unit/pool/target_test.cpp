#include <pgsluice/pool/target.hpp>

#include <gtest/gtest.h>

namespace pgsluice::pool {
namespace {

Target target(std::string database, std::string user, std::vector<wire::Setting> startup = {}) {
    Target made;
    made.route = "main";
    made.database = std::move(database);
    made.user = std::move(user);
    made.startup = std::move(startup);
    return made;
}

TEST(Target, of_the_same_names_has_the_same_key) {
    EXPECT_EQ(target("orders", "ann").key(), target("orders", "ann").key());
    EXPECT_NE(target("orders", "ann").key(), target("orders", "bob").key());
    EXPECT_NE(target("orders", "ann").key(), target("orders", "ann", {{"application_name", "x"}}).key());
}

// Clients of both modes may be there after a reload.
TEST(Target, of_another_mode_is_another_pool_of_the_same_size) {
    Target session = target("orders", "ann");
    session.settings.mode = config::PoolMode::session;
    const Target transaction = target("orders", "ann");
    EXPECT_NE(session.key(), transaction.key());
    EXPECT_FALSE(session.is_same_pool(transaction));
    EXPECT_EQ(session.permits_key(), transaction.permits_key());
    EXPECT_EQ(target("orders", "ann", {{"application_name", "x"}}).permits_key(), session.permits_key());
    EXPECT_NE(target("orders", "bob").permits_key(), session.permits_key());
}

TEST(Target, names_with_line_ends_and_the_like_make_no_key_of_others) {
    const std::string victim = target("app", "app", {{"application_name", "other"}}).key();
    for (const char separator : {'\n', '\t', ' ', ',', '/', ':'}) {
        const std::string joined = std::string("app") + separator + "app" + separator + "application_name";
        EXPECT_NE(target(joined, "other").key(), victim) << int{separator};
    }
}

TEST(Target, is_the_same_pool_only_where_every_name_and_setting_is) {
    const Target one = target("orders", "ann", {{"application_name", "x"}});
    EXPECT_TRUE(one.is_same_pool(target("orders", "ann", {{"application_name", "x"}})));
    EXPECT_FALSE(one.is_same_pool(target("archive", "ann", {{"application_name", "x"}})));
    EXPECT_FALSE(one.is_same_pool(target("orders", "bob", {{"application_name", "x"}})));
    EXPECT_FALSE(one.is_same_pool(target("orders", "ann", {{"application_name", "y"}})));
    EXPECT_FALSE(one.is_same_pool(target("orders", "ann")));
    Target elsewhere = one;
    elsewhere.route = "other";
    EXPECT_FALSE(one.is_same_pool(elsewhere));
}

}  // namespace
}  // namespace pgsluice::pool
