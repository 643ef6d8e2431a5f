// ignore_startup_parameters: what PgBouncer kept from the servers, and pgsluice gives them.
#include "import_case.hpp"

namespace pgsluice::importer::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST_F(Import, IgnoredStartupParametersAreToldSinceTheyAreAppliedHere) {
    options("ignore_startup_parameters = extra_float_digits, search_path,Options");
    EXPECT_THAT(imported.findings,
                ElementsAre(AllOf(finding(Weight::note, "ignore_startup_parameters"), Field(&Finding::line, 6),
                                  Field(&Finding::text, StartsWith("search_path, Options: applied here")))));
}

TEST_F(Import, IgnoredStartupParametersThatPgBouncerCarriesAnywayOrThatDoNothingAreNotTold) {
    options("ignore_startup_parameters = extra_float_digits");
    EXPECT_THAT(imported.findings, IsEmpty());
    options("ignore_startup_parameters = application_name, TimeZone, IntervalStyle");
    EXPECT_THAT(imported.findings, IsEmpty());
    options("track_extra_parameters = IntervalStyle, search_path\nignore_startup_parameters = search_path");
    EXPECT_THAT(imported.findings, IsEmpty());
    options("track_extra_parameters = search_path\nignore_startup_parameters = IntervalStyle");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "ignore_startup_parameters")));
}

}  // namespace
}  // namespace pgsluice::importer::test
