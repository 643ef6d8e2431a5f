// Texts of one shape over and over, which cost some way of reading them the square of their length: no function that
// reads a client's text may be such a way.
#include <pgsluice/sql/clock_words.hpp>
#include <pgsluice/sql/comment_tags.hpp>
#include <pgsluice/sql/deallocated_name.hpp>
#include <pgsluice/sql/facts_cache.hpp>
#include <pgsluice/sql/passwords.hpp>
#include <pgsluice/sql/rewrite.hpp>
#include <pgsluice/sql/session_effect.hpp>
#include <pgsluice/sql/statement_names.hpp>
#include <pgsluice/sql/transaction_control.hpp>

#include <gtest/gtest.h>
#include <lexer.hpp>
#include <pthread.h>
#include <stencil_shelf.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace pgsluice::sql {
namespace {

constexpr std::size_t longest_inspected_text = 1 << 20;  // limits.inspect_bytes
constexpr std::size_t usual_parsed_text = 16 << 10;      // limits.parse_inline
constexpr std::chrono::seconds bound{2};                 // the square of its length is hours

// Of `part` as many as there is room for, with a number in the place of each #.
struct Shape {
    std::string_view before, part, after;
};

std::string repeated(std::string_view part, std::size_t length) {
    std::string text;
    for (std::size_t i = 0; text.size() + part.size() + 8 <= length; ++i) {
        for (const char c : part) c == '#' ? text += std::to_string(i) : text += c;
    }
    return text;
}

std::string text_of(const Shape& shape, std::size_t length) {
    const std::string middle = repeated(shape.part, length - shape.before.size() - shape.after.size());
    return std::string(shape.before) + middle + std::string(shape.after);
}

constexpr std::array shapes = std::to_array<Shape>({
    {"select '',", "+", "1"},
    {"select '',", "+", "'"},
    {"select '',", "-", "\n1"},
    {"select '',", "+-", "1"},
    {"select '',", "+-", "@1"},
    {"select '',", "- ", "1"},
    {"select '',", "*", "1"},
    {"select '',", "*+", "1"},
    {"select '',", "@+", "1"},
    {"select '',", "=-1", ""},
    {"select '',", "+/**/", "1"},
    {"select '',", "+--\n", "1"},
    {"select '',", "+-/**/", "1"},
    {"select '',", "/*", ""},
    {"set x = '' ", "/*", ""},
    {"select '',", "/*+", ""},
    {"select '',", "/*--", ""},
    {"select '',1", "*/", ""},
    {"select '',", "/", "1"},
    {"select '',1", "/**/", ""},
    {"/*", "*", "*/select ''"},
    {"", "/**/", "select ''"},
    {"", "/*;*/", "select ''"},
    {"", "--;\n", "select ''"},
    {"", ";--", ""},
    {"", ";/*", ""},
    {"", "; ", "select ''"},
    {"", ";", "set x = 1;"},
    {"select ", "'", ""},
    {"select ", "''", ""},
    {"select ", "'--", "'"},
    {"select $a$", "'--", "$a$"},
    {"select ", "'a'--\n", ""},
    {"select ", "'a' -- ", ""},
    {"select ''", "\n''", ""},
    {"select ''", "\n--\n", "'"},
    {"select ''", "--'\n", "1"},
    {"select ", "'\n", "'"},
    {"select e'", "\\", "'"},
    {"select e'", "\\'", "'"},
    {"select e'", "\\x", "'"},
    {"select ", "b''", ""},
    {"select ", "x'0'\n", ""},
    {"select ", "e'", ""},
    {"select ", "n'", ""},
    {"select ", "\"", ""},
    {"select ", "\"a\"", ""},
    {"select '',", "$", ""},
    {"select '',", "$$", ""},
    {"select '',", "$a", ""},
    {"select '',", "$a$", ""},
    {"select $b$", "$a$", "$b$"},
    {"select $b$", "$a$", ""},
    {"select $b$", "$b", "$b$"},
    {"select $", "a", ""},
    {"select ", "$1", ""},
    {"select ", "$1,", "$1"},
    {"select '',", "(", ""},
    {"select '',", "(", "1"},
    {"select '',1", ")", ""},
    {"select '',", "[", ""},
    {"select '',", "u&", ""},
    {"select ", "u&'", ""},
    {"select ", "u&'0' ", ""},
    {"select ", "u&\"", ""},
    {"select ", "u&\"a\",", "1"},
    {"select ", "u&'!' uescape '!',", "1"},
    {"set ", "a.a,", " = 1"},
    {"do '", "a.a,", "'"},
    {"select '', ", "set_", ""},
    {"select '', set_config(", "a.a(", ""},
    {"select '',", "1", ""},
    {"select '',", "1.", ""},
    {"select '',", "1e", ""},
    {"select '',", "0x", ""},
    {"select '',", "..", ""},
    {"select '',", ":", ""},
    {"select '',", "\x80", ""},
    {"select '',", "{", ""},
    {"select '',1", " ", ""},
    {" ", "\n", ""},
    {"deallocate ", " ", "a"},
    {"deallocate ", "\"\"", ""},
    {"prepare ", "prepare ", ""},
    {"begin ", "read only,", "read only"},
    {"begin ", "read only ", "x"},
    {"commit ", "work ", ";select 1"},
    {"", "commit;", "select 1"},
    {"", "discard all;", ""},
    {"", "execute a;", ""},
    {"select '' /*", "a='", "*/"},
    {"select '' /*", "a='b',", "*/"},
    {"select '' /*a='", "\\'", "'*/"},
    {"select '' /*a='", "%2", "'*/"},
    {"select '", "://", "'"},
    {"select '", "://@:", "'"},
    {"select '", "p", "'"},
    {"select '", "now", "'"},
    {"select '", "n ", "'"},
    {"set ", "temp", ""},
    {"set ", "temp ", ""},
    {"set ", "pg_temp_", ""},
    {"select '',a", ",a", " from a"},
    {"insert into a values ('')", ",(1)", ""},
    {"", "set a.b#=1;", ""},
    {"", "reset a.b#;", ""},
    {"do 'set ", "a.b# ", "'"},
    {"", "select set_config('a.b#', $1, false);", ""},
    {"select dblink_open", "x,dblink_open", ""},
    {"select \"u&\"", ",pg_backup_start", "x"},
    {"select '\\',pg_", "create_", ""},
    {"with ", "a# as (select 1),", "b as (select 1) select 1"},
    {"select ", "a#,", "'' from a, b"},
    {"select ", "a#.b#,", "'' from a, b"},
    {"select '' from ", "a#,", "a"},
    {"select '' from ", "a# natural join ", "a"},
    {"update a set ", "(a,b)=(1,''),", "(a,b)=(1,2)"},
    {"update a set ", "(a,b,c,d)=row(1,2,3,4),", "(a,b,c,d)=row(1,2,3,4)"},
    {"update a set ", "(a,b)=(select 1,2),", "(a,b)=(1,2)"},
    {"update a set ", "(a[1+1],b)=(1,2),", "(a,b)=(1,2)"},
    {"update a set ", "(a,b)=(1,2),c=3,", "(a,b)=(1,2)"},
    {"insert into a values ('') on conflict (a) do update set ", "(a,b)=(1,2),", "(a,b)=(1,2)"},
    {"merge into a using b on true when matched then update set ", "(a,b)=(1,2),", "(a,b)=(1,2)"},
    {"with c as (update a set ", "(a,b)=(1,2),", "(a,b)=(1,2) returning 1) select 1 from c"},
});

// Trees and names of which libpg_query itself makes the square; bounded by limits.parse_inline.
constexpr std::array deep_shapes = std::to_array<Shape>({
    {"select '',1", "+1", ""},
    {"select '',1", "+ 1", ""},
    {"select '',1", "::int", ""},
    {"select '',1", "::e", ""},
    {"select '',a", ".a", ""},
    {"set a", ".a", " = 1"},
});

struct Reader {
    const char* name;
    void (*read)(ByteView text);
};

void expect_bounded(const Reader& reader, const std::string& text, std::string_view what) {
    const auto begin = std::chrono::steady_clock::now();
    reader.read(text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, bound) << reader.name << ": " << what;
}

template <class Readers>
void expect_bounded(const Readers& readers, const Shape& shape, std::size_t length) {
    const std::string text = text_of(shape, length);
    const std::string what = text_of(shape, shape.before.size() + 3 * shape.part.size() + shape.after.size() + 8);
    for (const Reader& reader : readers) expect_bounded(reader, text, what);
}

template <class Value>
void use(const Value&) {}

constexpr Reading escaping{.standard_conforming_strings = false};

void tokens(ByteView text, Reading how) {
    Lexer lexer(text, how);
    for (Token token = lexer.next(); token.kind != TokenKind::end && token.kind != TokenKind::refused;) {
        token = lexer.next();
    }
}

// How long the facts take is asked by itself.
FactsCache cache_of_nothing() {
    return {{}, {.longest_text = longest_inspected_text}, [](ByteView, Reading) {
                return std::variant<Facts, Unparsable>(Unparsable{});
            }};
}

constexpr std::array readers = std::to_array<Reader>({
    {"Lexer, escaping", [](ByteView text) { tokens(text, escaping); }},
    {"without_comments", [](ByteView text) { use(without_comments(text, {})); }},
    {"StencilShelf",
     [](ByteView text) {
         StencilShelf shelf;
         shelf.resize(1 << 20);
         shelf.find(text, {});
     }},
    {"FactsCache", [](ByteView text) { cache_of_nothing().facts_of(text, {}); }},
    {"may_read_clock", [](ByteView text) { use(may_read_clock(text)); }},
    {"comment_tags", [](ByteView text) { use(trace_id(comment_tags(text))); }},
    {"deallocated_name", [](ByteView text) { use(deallocated_name(text)); }},
    {"may_hold_password", [](ByteView text) { use(may_hold_password(text, {})); }},
    {"is_plain_set", [](ByteView text) { use(is_plain_set(text)); }},
    {"may_deallocate", [](ByteView text) { use(may_deallocate(text)); }},
    {"may_take_names", [](ByteView text) { use(may_take_names(text)); }},
    {"may_execute", [](ByteView text) { use(may_execute(text)); }},
    {"may_end_transaction", [](ByteView text) { use(may_end_transaction(text)); }},
    {"may_have_effect", [](ByteView text) { use(may_have_effect(text)); }},
    {"session_effect", [](ByteView text) { use(session_effect(text)); }},
    {"speaks_of_temporary_schema", [](ByteView text) { use(speaks_of_temporary_schema(text)); }},
    {"setting_names", [](ByteView text) { use(setting_names(text)); }},
    {"note_mentioned_names",
     [](ByteView text) {
         SettingNames names;
         note_mentioned_names(text, names);
     }},
    {"is_prepare", [](ByteView text) { use(is_prepare(text)); }},
    {"names_statement", [](ByteView text) { use(names_statement(text)); }},
    {"transaction_control", [](ByteView text) { use(transaction_control(text)); }},
    {"first_way_out", [](ByteView text) { use(first_way_out(text)); }},
});

constexpr Reader parsing{"read_facts", [](ByteView text) { use(read_facts(text, {})); }};
constexpr Reader editing{"edited", [](ByteView text) {
                             use(edited(text, {.tables = {{"a", "b"}}, .schemas = {}, .limit = 1}, {}));
                         }};

void on_stack_of_parser(void (*run)()) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, parser_stack_bytes), 0);
    const auto start = [](void* given) -> void* {
        (*static_cast<void (**)()>(given))();
        return nullptr;
    };
    pthread_t thread{};
    EXPECT_EQ(pthread_create(&thread, &attributes, start, &run), 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    pthread_attr_destroy(&attributes);
}

TEST(HostileTexts, are_read_in_time) {
    for (const Shape& shape : shapes) expect_bounded(readers, shape, longest_inspected_text);
    for (const Shape& shape : deep_shapes) expect_bounded(readers, shape, longest_inspected_text);
}

// Short ones are looked into where long ones are not.
TEST(HostileTexts, that_are_short_are_read_in_time) {
    for (const Shape& shape : shapes) expect_bounded(readers, shape, 4096);
    for (const Shape& shape : deep_shapes) expect_bounded(readers, shape, 4096);
}

TEST(HostileTexts, are_parsed_in_time) {
    on_stack_of_parser([] {
        for (const Shape& shape : shapes) {
            expect_bounded(std::array{parsing}, shape, longest_parsed_text);
            expect_bounded(std::array{editing}, shape, usual_parsed_text);
        }
        for (const Shape& shape : deep_shapes) expect_bounded(std::array{parsing, editing}, shape, usual_parsed_text);
    });
}

// Each name is looked for among those of its scope and of all scopes around.
TEST(HostileTexts, names_are_found_among_many_in_time) {
    on_stack_of_parser([] {
        constexpr std::size_t half = longest_parsed_text / 2;
        const std::string nested = repeated("select(", half / 2);
        for (const std::string& text :
             {"select " + repeated("a,", half) + "1 from " + repeated("b,", half) + "c",
              "select " + repeated("c.a,", half) + "1 from " + repeated("b,", half) + "d",
              "with recursive " + repeated("a# as(select 1),", half) + "b as(select 1) select 1 from " +
                  repeated("b,", half) + "b",
              nested + "select " + repeated("a,", half) + "1" + std::string(nested.size() / 7, ')')}) {
            expect_bounded(parsing, text, text.substr(0, 40));
        }
    });
}

}  // namespace
}  // namespace pgsluice::sql
