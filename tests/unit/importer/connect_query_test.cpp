// A connect_query means something else in session mode than in the others.
#include "import_case.hpp"

namespace pgsluice::importer::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Import, AConnectQueryOfSessionModeIsNoted) {
    read("a = host=h connect_query='set timezone to utc'");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "connect_query")));
    read("a = host=h connect_query='set timezone to utc'", "pool_mode = transaction");
    EXPECT_THAT(imported.findings, IsEmpty());
    read("a = host=h connect_query='select 1'", "pool_mode = transaction\n[users]\napp = pool_mode=session");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "connect_query")));
}

}  // namespace
}  // namespace pgsluice::importer::test
