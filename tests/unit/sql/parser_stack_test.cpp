// The deepest texts that are parsed, on the stack that is promised for them.
#include <pgsluice/sql/facts.hpp>
#include <pgsluice/sql/rewrite.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>

namespace pgsluice::sql {
namespace {

void on_a_parsers_stack(const std::function<void()>& work) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, parser_stack_bytes), 0);
    pthread_t thread{};
    const auto run = [](void* what) -> void* {
        (*static_cast<const std::function<void()>*>(what))();
        return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work)), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
}

// `opening` and `closing` as often as fits around the core.
std::string nested(const std::string& front, const std::string& opening, const std::string& core,
                   const std::string& closing) {
    std::string before = front;
    std::string after;
    while (before.size() + after.size() + opening.size() + closing.size() + core.size() <= longest_parsed_text) {
        before += opening;
        after += closing;
    }
    return before + core + after;
}

}  // namespace

TEST(ParserStack, is_large_enough_for_the_deepest_texts) {
    const std::string texts[] = {nested("select ", "1+", "1", ""),
                                 nested("select ", "not ", "true", ""),
                                 nested("", "select(", "select 1", ")"),
                                 nested("select ", "1 in (", "1", ")"),
                                 nested("select * from ", "(select * from ", "t", ") x"),
                                 nested("select ", "case when ", "true", " then 1 end"),
                                 nested("select ", "a||", "a", ""),
                                 nested("select ", "", "1", "::int"),
                                 nested("", "select 1 union ", "select 1", ""),
                                 nested("select ", "((", "1", "))")};
    on_a_parsers_stack([&] {
        for (const std::string& text : texts) {
            const auto facts = read_facts(text, {});
            const auto made = edited(text, {.tables = {{"t", "u"}}, .schemas = {}, .limit = 5}, {});
            EXPECT_EQ(std::holds_alternative<Facts>(facts), std::holds_alternative<std::string>(made))
                << text.substr(0, 40);
        }
    });
}

}  // namespace pgsluice::sql
