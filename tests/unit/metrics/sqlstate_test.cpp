#include <pgsluice/metrics/sqlstate.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgsluice::metrics {
namespace {

std::string_view class_name(std::string_view sqlstate) {
    return SqlstateCounters::classes[SqlstateCounters::class_of(sqlstate)];
}

TEST(Sqlstate, KnowsEachClassOnce) {
    std::set<std::string_view> seen;
    for (const std::string_view name : SqlstateCounters::classes) {
        EXPECT_TRUE(seen.insert(name).second) << name;
        EXPECT_EQ(class_name(name == "other" ? "ZZ000" : std::string(name) + "000"), name);
    }
}

TEST(Sqlstate, CountsMadeUpClassesAsOther) {
    for (const std::string_view made_up : {"", "4", "ZZ999", "a1000", "\xff\xff", "4 000", "other"}) {
        EXPECT_EQ(class_name(made_up), "other") << made_up;
    }
}

TEST(Sqlstate, KeepsOriginsApart) {
    SqlstateCounters errors;
    errors.count(ErrorOrigin::server, "23505");
    errors.count(ErrorOrigin::pgsluice, "53300");
    EXPECT_EQ(errors.at(ErrorOrigin::server, SqlstateCounters::class_of("23505")).value(), 1u);
    EXPECT_EQ(errors.at(ErrorOrigin::pgsluice, SqlstateCounters::class_of("23505")).value(), 0u);
    EXPECT_EQ(errors.at(ErrorOrigin::pgsluice, SqlstateCounters::class_of("53300")).value(), 1u);
}

}  // namespace
}  // namespace pgsluice::metrics
