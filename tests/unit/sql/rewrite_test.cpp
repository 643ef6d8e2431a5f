#include <pgsluice/sql/rewrite.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace pgsluice::sql {
namespace {

std::string made_of(ByteView text, const Edits& edits) {
    auto made = edited(text, edits, {});
    if (const auto* unparsable = std::get_if<Unparsable>(&made)) return "unparsable: " + unparsable->why;
    return std::get<std::string>(made);
}

const Edits orders{.tables = {{"orders", "archive.orders_v2"}, {"app.orders", "other"}}, .schemas = {}, .limit = 0};

}  // namespace

TEST(Rewrite, gives_tables_other_names_wherever_they_are_used) {
    EXPECT_EQ(made_of("select orders.id from orders", orders), "SELECT orders.id FROM archive.orders_v2 orders");
    EXPECT_EQ(made_of("select o.id from orders o", orders), "SELECT o.id FROM archive.orders_v2 o");
    EXPECT_EQ(made_of("select * from app.orders", orders), "SELECT * FROM other orders");
    EXPECT_EQ(made_of("select 1 where exists (select 1 from t join orders using (id))", orders),
              "SELECT 1 WHERE EXISTS (SELECT 1 FROM t JOIN archive.orders_v2 orders USING (id))");
    EXPECT_EQ(made_of("insert into orders values ($1, $2)", orders),
              "INSERT INTO archive.orders_v2 AS orders VALUES ($1, $2)");
    EXPECT_EQ(made_of("update orders set a = orders.a + 1", orders),
              "UPDATE archive.orders_v2 orders SET a = orders.a + 1");
    EXPECT_EQ(made_of("delete from orders using orders o2", orders),
              "DELETE FROM archive.orders_v2 orders USING archive.orders_v2 o2");
    EXPECT_EQ(made_of("truncate orders", orders), "TRUNCATE archive.orders_v2");
    EXPECT_EQ(made_of("copy orders from stdin", orders), "COPY archive.orders_v2 FROM STDIN");
}

TEST(Rewrite, leaves_a_text_with_nothing_to_edit_as_it_is) {
    for (const ByteView text :
         {"select  1", "select * from Orders2 -- orders", "select 'orders'", "select * from \"Orders\""}) {
        EXPECT_EQ(made_of(text, orders), text);
    }
}

TEST(Rewrite, of_a_name_that_is_a_ctes_too_is_not_done) {
    for (const ByteView text : {"with orders as (select 1) select * from orders",
                                "select * from orders where exists (with orders as (select 1) select 1)"}) {
        EXPECT_EQ(made_of(text, orders), "unparsable: WITH gives a name that is to be rewritten");
    }
}

TEST(Rewrite, gives_schemas_other_names) {
    const Edits edits{.tables = {}, .schemas = {{"app", "app_v2"}}, .limit = 0};
    EXPECT_EQ(made_of("select app.f(1) from app.t", edits), "SELECT app_v2.f(1) FROM app_v2.t");
    EXPECT_EQ(made_of("select * from t", edits), "select * from t");
}

TEST(Rewrite, follows_columns_that_are_written_with_a_schema) {
    const Edits edits{.tables = {{"app.orders", "v2.orders_v2"}}, .schemas = {{"app", "app_v2"}}, .limit = 0};
    const std::pair<const char*, const char*> cases[] = {
        {"select app.t.a, app.t.*, count(app.t.*), (app.t.c).f, app.t.l[1] from app.t",
         "SELECT app_v2.t.a, app_v2.t.*, count(app_v2.t.*), (app_v2.t.c).f, app_v2.t.l[1] FROM app_v2.t"},
        {"update app.t set a = 1 where app.t.a = 2", "UPDATE app_v2.t SET a = 1 WHERE app_v2.t.a = 2"},
        {"select 1 from app.t where exists (select 1 from u where u.a = app.t.a)",
         "SELECT 1 FROM app_v2.t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = app_v2.t.a)"},
        {"select db.app.t.a from db.app.t", "SELECT db.app_v2.t.a FROM db.app_v2.t"},
        {"select app.orders.id, app.orders.*, db.app.orders.id from app.orders",
         "SELECT orders.id, orders.*, orders.id FROM v2.orders_v2 orders"},
        // Of what is not a table of that name, or goes by another one here.
        {"select other.t.a, app.u.a from app.t", "SELECT other.t.a, app.u.a FROM app_v2.t"},
        {"select app.t from app.t app", "SELECT app.t FROM app_v2.t app"},
        {"select app.t.a from app.t x", "SELECT app.t.a FROM app_v2.t x"},
    };
    for (const auto& [text, made] : cases) EXPECT_EQ(made_of(text, edits), made);
    EXPECT_EQ(made_of("select app.t.a from t", edits), "select app.t.a from t");
}

// The deparser gets the columns of others wrong.
TEST(Rewrite, of_an_assignment_to_several_columns_is_done_at_the_ends_of_a_list) {
    const Edits edits{.tables = {{"t", "v2.t"}}, .schemas = {}, .limit = 0};
    const std::pair<const char*, const char*> cases[] = {
        {"update t set (a) = (1)", "UPDATE v2.t t SET (a) = 1"},
        {"update t set (a, b) = (1, 2)", "UPDATE v2.t t SET (a, b) = (1, 2)"},
        {"update t set (a, b) = (select 1, 2), c = 3", "UPDATE v2.t t SET (a, b) = (SELECT 1, 2), c = 3"},
        {"update t set a = 1, b = 2, (c, d) = (3, 4)", "UPDATE v2.t t SET a = 1, b = 2, (c, d) = (3, 4)"},
        {"update t set (a, b) = (1, 2), (c, d) = (3, 4)", "UPDATE v2.t t SET (a, b) = (1, 2), (c, d) = (3, 4)"},
        {"insert into t values (1) on conflict (a) do update set (a, b) = (1, 2), c = 3",
         "INSERT INTO v2.t AS t VALUES (1) ON CONFLICT (a) DO UPDATE SET (a, b) = (1, 2), c = 3"},
    };
    for (const auto& [text, made] : cases) EXPECT_EQ(made_of(text, edits), made);
    for (const ByteView text :
         {"update t set a = 1, (b, c) = (2, 3)", "update t set a = 1, b = 2, (c, d) = (3, 4), e = 5",
          "update t set (a, b) = (1, 2), (c, d) = (3, 4), (e, f) = (5, 6)",
          "insert into t values (1) on conflict (a) do update set a = 1, (b, c) = (2, 3)",
          "merge into t using u on true when matched then update set a = 1, (b, c) = (2, 3)",
          "with x as (update t set a = 1, (b, c) = (2, 3) returning 1) select 1 from x"}) {
        EXPECT_EQ(made_of(text, edits), "unparsable: it would mean something else when it is written out again")
            << text;
    }
}

TEST(Rewrite, that_makes_a_text_too_long_to_parse_is_not_done) {
    const Edits edits{.tables = {{"t", std::string(60, 'x')}}, .schemas = {}, .limit = 0};
    std::string text = "select 1 from t";
    for (int i = 0; i < 1100; ++i) text += ",t";
    EXPECT_EQ(made_of(text, edits), "unparsable: it is too long when it is written out again");
}

TEST(Rewrite, adds_a_limit_where_there_is_none) {
    const Edits edits{.tables = {}, .schemas = {}, .limit = 100};
    EXPECT_EQ(made_of("select * from t where a = $1 order by b", edits),
              "SELECT * FROM t WHERE a = $1 ORDER BY b LIMIT 100");
    EXPECT_EQ(made_of("select 1 union select 2", edits), "SELECT 1 UNION SELECT 2 LIMIT 100");
    EXPECT_EQ(made_of("select * from t offset 5", edits), "SELECT * FROM t LIMIT 100 OFFSET 5");
    for (const ByteView text : {"select * from t limit 5", "select 1", "select * from t for update",
                                "insert into t select * from u", "select * into x from t"}) {
        EXPECT_EQ(made_of(text, edits), text);
    }
    EXPECT_EQ(made_of("select * from t; select * from u", edits),
              "SELECT * FROM t LIMIT 100; SELECT * FROM u LIMIT 100");
}

TEST(Rewrite, keeps_constants_and_names_what_they_are) {
    EXPECT_EQ(made_of("select 'it''s', E'\\\\x', \"Odd name\", U&'\\00e9', $$a'b$$ from orders", orders),
              "SELECT 'it''s', E'\\\\x', \"Odd name\", 'é', 'a''b' FROM archive.orders_v2 orders");
}

TEST(Rewrite, of_what_cannot_be_parsed_says_why) {
    EXPECT_EQ(made_of("selec", orders), "unparsable: syntax error");
    EXPECT_EQ(made_of(ByteView("select\0 1", 9), orders), "unparsable: it has a NUL");
}

}  // namespace pgsluice::sql
