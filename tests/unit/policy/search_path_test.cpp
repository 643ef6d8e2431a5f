#include "search_path.hpp"

#include <gtest/gtest.h>

namespace pgsluice::policy {

TEST(SearchPath, leads_to_the_schemas_that_it_names) {
    const SearchPath path("\"$user\", public, \"Big, \"\"one\"\"\"", "ann");
    for (const char* schema : {"ann", "public", "Big, \"one\"", "pub*"})
        EXPECT_TRUE(path.may_lead_to(schema)) << schema;
    for (const char* schema : {"billing", "$user", "Public", "bob"}) EXPECT_FALSE(path.may_lead_to(schema)) << schema;
}

TEST(SearchPath, leads_to_the_catalog_and_the_temporary_schema_unasked) {
    EXPECT_TRUE(SearchPath("public", "ann").may_lead_to("pg_catalog"));
    EXPECT_TRUE(SearchPath("", "ann").may_lead_to("pg_temp"));
    EXPECT_FALSE(SearchPath("", "ann").may_lead_to("public"));
}

TEST(SearchPath, folds_names_without_quotes) {
    EXPECT_TRUE(SearchPath("Billing,PUBLIC", "ann").may_lead_to("billing"));
    EXPECT_FALSE(SearchPath("\"Billing\"", "ann").may_lead_to("billing"));
}

TEST(SearchPath, that_is_not_known_or_cannot_be_read_leads_everywhere_and_surely_nowhere) {
    for (const SearchPath& path : {SearchPath(), SearchPath("a,", "ann"), SearchPath(",a", "ann"),
                                   SearchPath("\"a", "ann"), SearchPath("a b", "ann"), SearchPath("a,,b", "ann")}) {
        EXPECT_TRUE(path.may_lead_to("billing"));
        EXPECT_FALSE(path.leads_only_to("*"));
    }
}

TEST(SearchPath, leads_only_to_what_fits_all_of_it) {
    EXPECT_TRUE(SearchPath("public, billing", "ann").leads_only_to("*"));
    EXPECT_TRUE(SearchPath("public", "ann").leads_only_to("public"));
    EXPECT_FALSE(SearchPath("public, billing", "ann").leads_only_to("public"));
}

}  // namespace pgsluice::policy
