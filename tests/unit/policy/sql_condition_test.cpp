// Rules about what statements do. The facts themselves are the sql layer's to test.
#include "fixture.hpp"

#include <pgsluice/policy/limit.hpp>

#include <sql_condition.hpp>

#include <chrono>

namespace pgsluice::policy {
namespace {

config::Policy when(std::string name, config::PolicyCondition condition, PolicyAction action = PolicyAction::block) {
    config::Policy policy;
    policy.name = std::move(name);
    policy.when = std::move(condition);
    policy.action = action;
    return policy;
}

struct Path final : PathSource {
    explicit Path(std::optional<std::string_view> path) : value(path) {}
    std::optional<std::string_view> search_path() const override { return value; }
    std::optional<std::string_view> value;
};

// The texts of both lists, judged by one rule: those of the first are blocked, those of the second pass.
void expect_blocks(const config::PolicyCondition& condition, std::initializer_list<std::string_view> blocked,
                   std::initializer_list<std::string_view> passing) {
    const Engine engine = engine_of({when("rule", condition)});
    for (const std::string_view text : blocked) EXPECT_EQ(judged(engine, text), "block by rule") << text;
    for (const std::string_view text : passing) EXPECT_EQ(judged(engine, text), "allow") << text;
}

}  // namespace

TEST(SqlCondition, statements_are_known_by_their_command_tags_and_groups) {
    expect_blocks({.statements = {"delete", "CREATE TABLE"}},
                  {"delete from t", "DELETE/**/from t where x", "create table t ()", "select 1; delete from t",
                   "with d as (delete from t returning *) select * from d", "explain analyze delete from t",
                   "prepare p as delete from t"},
                  {"select 'delete'", "create index on t (x)", "explain delete from t", "drop table t"});
    expect_blocks({.statements = {"ddl"}}, {"create table t ()", "drop table t", "alter table t add x int"},
                  {"insert into t values (1)"});
    expect_blocks({.statements = {"write"}}, {"insert into t values (1)", "truncate t", "update t set x = 1"},
                  {"select * from t"});
}

TEST(SqlCondition, without_where_and_without_limit) {
    expect_blocks({.statements = {"delete", "update"}, .without_where = true},
                  {"delete from t", "update t set x = 1 /* where x */"}, {"delete from t where true", "select 1"});
    expect_blocks({.without_limit = true}, {"select * from t"},
                  {"select * from t limit 5", "select 1", "select * from t fetch first 5 rows only"});
}

TEST(SqlCondition, tables_are_told_apart_by_what_is_done_to_them) {
    expect_blocks({.tables = {"users"}},
                  {"select * from users", "delete from users", "select * from app.users",
                   "select (select 1 from \"users\")", "select 1 from u&\"\\0075sers\""},
                  {"select * from \"Users\"", "select 'users'", "with users as (select 1) select * from users"});
    expect_blocks({.reads = {"users"}}, {"select * from users", "insert into t select * from users"},
                  {"insert into users values (1)"});
    expect_blocks({.writes = {"users"}}, {"insert into users values (1)", "truncate users"}, {"select * from users"});
    expect_blocks({.tables = {"audit_*"}}, {"select * from audit_2026"}, {"select * from audits"});
}

TEST(SqlCondition, functions_and_columns) {
    expect_blocks({.functions = {"pg_sleep"}},
                  {"select pg_sleep(1)", "select pg_catalog.pg_sleep(1)", "select 1 where PG_SLEEP(1) is null"},
                  {"select 'pg_sleep'"});
    expect_blocks({.columns = {"ssn"}},
                  {"select ssn from people", "select p.SSN from people p", "select * from people", "table people",
                   "update people set ssn = ''", "select people from people"},
                  {"select name from people", "select count(*) from people"});
    expect_blocks({.columns = {"people.ssn"}},
                  {"select p.ssn from people p", "select * from people", "select ssn from people"},
                  {"select o.ssn from others o", "select * from others"});
}

TEST(SqlCondition, a_column_of_no_table_that_the_text_names_may_be_of_any_that_it_does_name) {
    expect_blocks({.columns = {"people.ssn"}},
                  {"select ssn from others, people", "select * from others natural join people",
                   "select j.ssn from (people join others using (id)) j"},
                  {"select ssn from others, more", "select * from others natural join more",
                   "select ssn, count(*) from others join more using (id) group by 1"});
}

TEST(SqlCondition, a_column_of_a_functions_rows_may_be_of_any_table) {
    expect_blocks(
        {.columns = {"people.ssn"}},
        {"select * from everybody()", "select ssn from everybody()", "select (person(1)).ssn",
         "select ssn from others, everybody()", "select * from rows from (generate_series(1, 3), everybody())",
         "select e.ssn from others, lateral app.everybody() e"},
        {"select * from generate_series(1, 3)", "select ssn from others, unnest(array[1, 2])",
         "select * from others, current_date", "select * from pg_catalog.pg_options_to_table('{}')"});
}

TEST(SqlCondition, all_parts_of_it_have_to_be_met) {
    expect_blocks({.statements = {"select"}, .tables = {"users"}, .columns = {"password"}},
                  {"select password from users"}, {"select name from users", "select password from other"});
}

TEST(SqlCondition, a_schema_is_found_by_the_search_path) {
    const Engine engine = engine_of({when("rule", {.tables = {"billing.*"}})});
    const auto on = [&](std::string_view text, std::optional<std::string_view> path) {
        const Path source(path);
        return judged(engine, Statement{.text = text, .path = &source, .server_user = "ann"});
    };
    EXPECT_EQ(on("select * from billing.t", "public"), "block by rule");
    EXPECT_EQ(on("select * from t", "public"), "allow");
    EXPECT_EQ(on("select * from t", "\"$user\", billing"), "block by rule");
    EXPECT_EQ(on("select * from t", std::nullopt), "block by rule") << "it may be there";
    EXPECT_EQ(on("set search_path = billing; select * from t", "public"), "block by rule");
    EXPECT_EQ(on("select * from public.t", std::nullopt), "allow");
}

TEST(SqlCondition, several_statements_are_looked_up_by_the_search_path_unless_they_may_change_it) {
    const Engine engine = engine_of({when("rule", {.tables = {"billing.*"}})});
    const Path path("public");
    const auto on = [&](std::string_view text) {
        return judged(engine, Statement{.text = text, .path = &path, .server_user = "ann"});
    };
    for (const std::string_view text : {"select 1; select * from t", "begin; insert into t values (1)",
                                        "update t set a = 1; delete from t where a = 2;"}) {
        EXPECT_EQ(on(text), "allow") << text;
    }
    for (const std::string_view text :
         {"reset all; select * from t", "select f(); select * from t", "rollback; select * from t",
          "commit; select * from t", "execute p; select * from t", "do ''; select * from t",
          "create schema s; select * from t", "select * from billing.t; select 1"}) {
        EXPECT_EQ(on(text), "block by rule") << text;
    }
}

// Else one harmless statement would take others along.
TEST(SqlCondition, of_a_rule_that_allows_fits_all_that_a_text_does) {
    const auto allows = [](const config::PolicyCondition& condition, const Statement& statement) {
        const Engine engine = engine_of({when("rule", condition, PolicyAction::allow), when("rest", {})});
        return judged(engine, statement) == "allow by rule";
    };
    const Path public_path("public");
    EXPECT_TRUE(allows({.statements = {"select"}}, {.text = "select 1"}));
    EXPECT_FALSE(allows({.statements = {"select"}}, {.text = "select 1; drop table t"}));
    EXPECT_FALSE(allows({.statements = {"select"}}, {.text = "with d as (delete from t returning 1) select * from d"}));
    EXPECT_TRUE(allows({.tables = {"a", "b"}}, {.text = "select * from a, b"}));
    EXPECT_FALSE(allows({.tables = {"a"}}, {.text = "select * from a, b"}));
    EXPECT_FALSE(allows({.tables = {"a"}}, {.text = "select 1"}));
    EXPECT_FALSE(allows({.columns = {"name"}}, {.text = "select * from people"}));
    EXPECT_TRUE(allows({.columns = {"name"}}, {.text = "select name from people"}));
    EXPECT_FALSE(allows({.tables = {"public.*"}}, {.text = "select * from t"})) << "it may be elsewhere";
    EXPECT_TRUE(allows({.tables = {"public.*"}}, {.text = "select * from t", .path = &public_path}));
    EXPECT_FALSE(allows({.tables = {"public.*"}}, {.text = "select * from pg_authid", .path = &public_path}));
    EXPECT_FALSE(allows({.functions = {"public.*"}}, {.text = "select f()", .path = &public_path}))
        << "pg_catalog comes first";
    EXPECT_TRUE(allows({.functions = {"p*.*"}}, {.text = "select f()", .path = &public_path}));
    EXPECT_FALSE(allows({.in_transaction = true}, {.text = "select 1"})) << "it is not known";
}

// Names of a text, and schemas of a path, are not each held against all others.
TEST(SqlCondition, many_names_are_judged_in_proportion_to_their_number) {
    constexpr int many = 20'000;
    sql::Facts facts;
    facts.statements = 1;
    std::string path = "public";
    for (int i = 0; i < many; ++i) {
        const std::string number = std::to_string(i);
        facts.relations.push_back({.schema = {}, .name = 't' + number, .is_read = true});
        facts.functions.push_back({.schema = {}, .name = 'f' + number});
        facts.columns.push_back({.relation = {}, .name = 'c' + number});
        path += ", s" + number;
    }
    const SearchPath leads(path, "ann");
    for (const bool fits_all : {false, true}) {
        for (const config::PolicyCondition& when :
             {config::PolicyCondition{.tables = {"billing.*", "*.t"}}, config::PolicyCondition{.reads = {"billing.*"}},
              config::PolicyCondition{.functions = {"billing.*"}},
              config::PolicyCondition{.columns = {"secrets.c*"}}}) {
            SqlCondition::Errors errors;
            const SqlCondition condition(when, fits_all, errors);
            const auto begin = std::chrono::steady_clock::now();
            EXPECT_FALSE(condition.matches(facts, leads));
            EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
        }
    }
}

// Drivers ping with it, and no server does anything for it.
TEST(SqlCondition, of_any_rule_that_allows_by_what_a_text_does_fits_one_without_a_statement) {
    const Engine reads = engine_of({when("reads", {.statements = {"select"}}, PolicyAction::allow), when("rest", {})});
    const Engine tables = engine_of({when("own", {.tables = {"public.*"}}, PolicyAction::allow), when("rest", {})});
    for (const std::string_view text : {"", ";", " ; ;", "-- ping", "/* ping */;"}) {
        EXPECT_EQ(judged(reads, text), "allow by reads") << text;
        EXPECT_EQ(judged(tables, text), "allow by own") << text;
    }
    EXPECT_EQ(judged(reads, "selec"), "block by rest") << "what cannot be parsed may be anything";
    EXPECT_EQ(judged(engine_of({when("all", {})}), "-- ping"), "block by all");
    const Engine tagged = engine_of(
        {when("tagged", {.statements = {"select"}, .tags = {{"a", "b"}}}, PolicyAction::allow), when("rest", {})});
    EXPECT_EQ(judged(tagged, "-- ping"), "block by rest");
}

TEST(SqlCondition, of_a_transaction_that_may_be_open_is_met) {
    const Engine inside = engine_of({when("rule", {.in_transaction = true})});
    const Engine outside = engine_of({when("rule", {.in_transaction = false})});
    const auto in = [](const Engine& engine, std::optional<bool> in_transaction) {
        return judged(engine, Statement{.text = "select 1", .in_transaction = in_transaction}) == "block by rule";
    };
    EXPECT_TRUE(in(inside, true) && in(inside, std::nullopt) && !in(inside, false));
    EXPECT_TRUE(in(outside, false) && in(outside, std::nullopt) && !in(outside, true));
}

TEST(SqlCondition, of_several_statements_may_run_in_a_transaction_that_one_of_them_begins_or_behind_one_that_it_ends) {
    const Engine inside = engine_of({when("rule", {.in_transaction = true})});
    const Engine outside = engine_of({when("rule", {.in_transaction = false})});
    const auto in = [](const Engine& engine, std::string_view text, bool in_transaction) {
        return judged(engine, Statement{.text = text, .in_transaction = in_transaction}) == "block by rule";
    };
    EXPECT_TRUE(in(inside, "begin; select 1; commit", false));
    EXPECT_TRUE(in(outside, "commit; select 1", true));
    EXPECT_FALSE(in(inside, "select 1; select 2", false));
    EXPECT_FALSE(in(outside, "select 1; select 2", true));
    EXPECT_FALSE(in(inside, "begin", false));
    EXPECT_FALSE(in(outside, "commit", true));
}

TEST(SqlCondition, tags_of_the_comment) {
    expect_blocks({.tags = {{"action", "pay*"}, {"app", "*"}}}, {"select 1 /*app='shop',action='payment'*/"},
                  {"select 1 /*action='payment'*/", "select 1", "select '/*app=''x'',action=''pay''*/'"});
}

TEST(SqlCondition, a_fingerprint_is_that_of_all_texts_of_one_shape) {
    const auto read = sql::read_facts("select * from t where id = 1", {});
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx",
                  static_cast<unsigned long long>(std::get<sql::Facts>(read).fingerprint));
    expect_blocks({.fingerprints = {digits}}, {"select * from t where id = 2", "SELECT  * FROM t WHERE id = $1"},
                  {"select * from t where x = 1"});
}

TEST(SqlCondition, what_cannot_be_parsed_meets_a_rule_that_blocks) {
    const std::vector<config::Policy> rules{when("allow", {.statements = {"select"}}, PolicyAction::allow),
                                            when("rule", {.statements = {"delete"}})};
    const Engine engine = engine_of(rules);
    const Verdict verdict = judge(engine, engine.for_principal(ann()), "selec 1");
    EXPECT_TRUE(verdict.blocks() && verdict.is_unparsable);
    EXPECT_EQ(verdict.rule, 1U);

    auto lenient = Engine::build(rules, config::OnUnparsable::allow);
    EXPECT_EQ(judged(std::get<Engine>(lenient), "selec 1"), "allow");
}

TEST(SqlCondition, what_cannot_be_parsed_is_blocked_where_a_limit_would_have_to_be_chosen_by_what_it_does) {
    const std::vector<config::Policy> rules{when("bounded", {.statements = {"select"}}, PolicyAction::limit)};
    const Engine engine = engine_of(rules);
    const Verdict verdict = judge(engine, engine.for_principal(ann()), "selec 1");
    EXPECT_TRUE(verdict.blocks() && verdict.is_unparsable);
    EXPECT_EQ(verdict.error->code(), "42501");
    EXPECT_EQ(verdict.limit, nullptr);
    auto lenient = Engine::build(rules, config::OnUnparsable::allow);
    EXPECT_EQ(judged(std::get<Engine>(lenient), "selec 1"), "allow");
}

TEST(SqlCondition, what_cannot_be_parsed_is_blocked_where_a_limit_counts_what_it_returns) {
    config::Policy few = when("few", {}, PolicyAction::limit);
    few.limit.max_rows = 10;
    EXPECT_EQ(judged(engine_of({few}), "selec 1"), "block by few");
    auto lenient = Engine::build({when("bounded", {.statements = {"select"}}, PolicyAction::limit), few},
                                 config::OnUnparsable::allow);
    EXPECT_EQ(judged(std::get<Engine>(lenient), "selec 1"), "allow by few") << "in time and number";
    few.mode = PolicyMode::shadow;
    EXPECT_EQ(judged(engine_of({few}), "selec 1"), "few allow");
}

TEST(SqlCondition, what_cannot_be_parsed_has_the_limit_that_stands_in_front_for_all) {
    const Engine engine = engine_of(
        {when("all", {}, PolicyAction::limit), when("bounded", {.statements = {"select"}}, PolicyAction::limit)});
    const Verdict verdict = judge(engine, engine.for_principal(ann()), "selec 1");
    ASSERT_NE(verdict.limit, nullptr);
    EXPECT_EQ(verdict.limit->rule, "all");
}

TEST(SqlCondition, what_cannot_be_parsed_meets_nothing_that_only_notes) {
    config::Policy shadow = when("dry", {.statements = {"delete"}});
    shadow.mode = PolicyMode::shadow;
    const Engine engine = engine_of({shadow, when("log", {.tables = {"t"}}, PolicyAction::log)});
    EXPECT_EQ(judged(engine, "selec 1"), "allow");
    EXPECT_EQ(judged(engine, "delete from t"), "dry log allow");
}

TEST(SqlCondition, other_conditions_of_the_rule_still_count_where_nothing_can_be_parsed) {
    const Engine engine = engine_of({when("rule", {.pattern = "secret", .statements = {"delete"}})});
    EXPECT_EQ(judged(engine, "selec 1"), "allow");
    EXPECT_EQ(judged(engine, "selec secret"), "block by rule");
}

TEST(SqlCondition, that_says_nothing_PostgreSQL_knows_is_an_error) {
    auto built =
        Engine::build({when("rule", {.statements = {"insert", "delet"}, .tables = {"a.b.c"}, .fingerprints = {"12"}})});
    std::string keys;
    for (const BuildError& error : std::get<std::vector<BuildError>>(built)) keys += error.key + ' ';
    EXPECT_EQ(keys, "when.statements[1] when.tables[0] when.fingerprints[0] ");
}

TEST(Explain, names_the_first_condition_that_is_not_met) {
    const Engine engine = engine_of({when("users", {.users = {"bob"}}), when("kind", {.statements = {"delete"}}),
                                     when("all", {}), when("table", {.statements = {"select"}, .tables = {"b"}})});
    const sql::FactsRef facts =
        std::make_shared<const sql::Facts>(std::get<sql::Facts>(sql::read_facts("select * from a", {})));
    const auto unmet = engine.explain(ann(), Statement{.text = "select * from a", .facts = &facts});
    EXPECT_EQ(unmet, (std::vector<std::string>{"users", "statements", "", "tables"}));
}

}  // namespace pgsluice::policy
