// Facts of many statements, by theme; and the same of what libpg_query writes from their parse trees.
#include "facts_of_changes.hpp"
#include "facts_of_definitions.hpp"
#include "facts_of_evasions.hpp"
#include "facts_of_queries.hpp"
#include "facts_of_utility.hpp"
#include "facts_picture.hpp"

#include <gtest/gtest.h>
#include <pg_query.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pgsluice::sql {
namespace {

void expect_pictures(const std::vector<FactsCase>& cases) {
    for (const FactsCase& each : cases) EXPECT_EQ(describe(read_facts(each.sql, {})), each.picture) << each.sql;
}

// What libpg_query 15 writes wrongly.
bool is_written_wrongly(std::string_view sql) {
    static constexpr std::array<std::string_view, 5> all{
        "select a from t for no key update of t skip locked",  // no space before SKIP
        "select $0",                                           // as "?"
        "select (array(select password from users))[1]",       // without the parentheses
        "show all",                                            // as SHOW SESSION ALL
        "update t as x set a = x.b, (c, d) = (select e, f from u where u.id = x.id) where x.id = $1 returning *"};
    return std::find(all.begin(), all.end(), sql) != all.end();  // the last: without the column d
}

// nullopt: libpg_query cannot parse it, or cannot write what it has parsed.
std::optional<std::string> rewritten(const char* sql) {
    const PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql);
    std::optional<std::string> text;
    if (parsed.error == nullptr) {
        const PgQueryDeparseResult written = pg_query_deparse_protobuf(parsed.parse_tree);
        if (written.error == nullptr) text = written.query;
        pg_query_free_deparse_result(written);
    }
    pg_query_free_protobuf_parse_result(parsed);
    return text;
}

std::size_t expect_same_when_rewritten(const std::vector<FactsCase>& cases) {
    std::size_t compared = 0;
    for (const FactsCase& each : cases) {
        const std::optional<std::string> text = rewritten(each.sql);
        if (!text || is_written_wrongly(each.sql)) continue;
        ++compared;
        EXPECT_EQ(describe(read_facts(*text, {})), each.picture) << each.sql << "\nis written as\n" << *text;
    }
    return compared;
}

TEST(Facts, of_queries) {
    expect_pictures(facts_of_queries);
}

TEST(Facts, of_changes) {
    expect_pictures(facts_of_changes);
}

TEST(Facts, of_definitions) {
    expect_pictures(facts_of_definitions);
}

TEST(Facts, of_utility_statements) {
    expect_pictures(facts_of_utility);
}

TEST(Facts, of_attempts_to_hide) {
    expect_pictures(facts_of_evasions);
}

TEST(Facts, of_a_text_written_from_the_tree_are_those_of_the_text) {
    std::size_t compared = expect_same_when_rewritten(facts_of_queries);
    compared += expect_same_when_rewritten(facts_of_changes);
    compared += expect_same_when_rewritten(facts_of_definitions);
    compared += expect_same_when_rewritten(facts_of_utility);
    compared += expect_same_when_rewritten(facts_of_evasions);
    EXPECT_GT(compared, 400U);
}

}  // namespace
}  // namespace pgsluice::sql
