// Texts that nest as deeply as their grammar lets them, on a thread with no more stack than is promised.
#include <pgsluice/sql/facts.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <optional>

namespace pgsluice::sql {
namespace {

constexpr std::size_t usual_length = 16 << 10;  // limits.parse_inline

struct Nest {
    const char *before, *opening, *inner, *closing, *after;
};

std::string repeated(std::string_view part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += part;
    return all;
}

std::string text_of(const Nest& nest, std::size_t length = usual_length) {
    const auto size = [](const char* part) { return std::string_view(part).size(); };
    const std::size_t depth =
        (length - size(nest.before) - size(nest.inner) - size(nest.after)) / (size(nest.opening) + size(nest.closing));
    return nest.before + repeated(nest.opening, depth) + nest.inner + repeated(nest.closing, depth) + nest.after;
}

struct Run {
    std::string text;
    std::optional<std::variant<Facts, Unparsable>> read;
};

void* read_on_thread(void* given) {
    Run& run = *static_cast<Run*>(given);
    run.read = read_facts(run.text, {});
    return nullptr;
}

std::variant<Facts, Unparsable> read_on_smallest_stack(std::string text) {
    Run run{.text = std::move(text), .read = {}};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstacksize(&attributes, parser_stack_bytes), 0);
    pthread_t thread{};
    EXPECT_EQ(pthread_create(&thread, &attributes, read_on_thread, &run), 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    pthread_attr_destroy(&attributes);
    return std::move(run.read).value();
}

bool is_read(const std::variant<Facts, Unparsable>& read) {
    return std::holds_alternative<Facts>(read);
}

TEST(ParserStack, is_enough_for_the_deepest_texts) {
    const std::vector<Nest> nests{
        {"select a", "", "", "+a", ""},
        {"select a", "", "", "@a", ""},
        {"select a", "", "", "::a", ""},
        {"select a", "", "", "||a", ""},
        {"select a", "", "", " is null", ""},
        {"select ", "not ", "a", "", ""},
        {"select array", "[", "1", "]", ""},
        {"select ", "row(", "1", ")", ""},
        {"select ", "not(", "1", ")", ""},
        {"", "select(", "select 1", ")", ""},
        {"", "values((", "values(1)", "))", ""},
        {"copy(", "select(", "select 1", ")", ")to stdout"},
        {"select ", "exists(select ", "1", ")", ""},
        {"select ", "a in(select ", "1", ")", ""},
        {"select ", "case when ", "1", " then 1 end", ""},
        {"select ", "f()over(order by ", "a", ")", ""},
        {"", "select 1 from(", "select 1", ")a", ""},
        {"", "with a as(", "select 1", ")select 1", ""},
        {"", "with a as(delete from t where(", "select 1", "))select 1", ""},
        {"", "select 1 union(", "select 1", ")", ""},
        {"select 1 from ", "(a cross join ", "a", ")", ""},
        {"select 1 group by ", "cube(", "a", ")", ""},
    };
    for (const Nest& nest : nests) {
        const std::string text = text_of(nest);
        EXPECT_GT(text.size(), usual_length - 64) << nest.opening << nest.closing;
        EXPECT_TRUE(is_read(read_on_smallest_stack(text))) << nest.opening << nest.closing;
        // Whether the longest ones can be read the parser may decide; they end well.
        read_on_smallest_stack(text_of(nest, longest_parsed_text));
    }
}

// PostgreSQL's parser has a stack of 10,000 symbols: prefixes fill it, operators behind do not need it.
TEST(ParserStack, is_enough_for_operators_on_both_sides) {
    const std::string text = "select " + repeated(repeated("+", 200) + " ", 49) + "a";
    EXPECT_TRUE(is_read(read_on_smallest_stack(text + repeated("+a", (usual_length - text.size()) / 2))));
}

TEST(ParserStack, what_the_parser_finds_too_deep_is_unparsable) {
    for (const char* opening : {"(1+", "f(", "a[", "- a - ("}) {
        const auto read = read_on_smallest_stack(
            "select " + repeated(opening, (usual_length - 7) / std::string_view(opening).size()));
        EXPECT_FALSE(is_read(read)) << opening;
    }
}

}  // namespace
}  // namespace pgsluice::sql
