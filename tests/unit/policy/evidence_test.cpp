#include "evidence.hpp"

#include "fixture.hpp"

namespace pgsluice::policy {
namespace {

const Screen no_screen;

std::string readable(std::string_view text) {
    const Statement statement{.text = text};
    Evidence evidence(statement, no_screen);
    return std::string(evidence.readable_text());
}
const std::string fffd = "\xEF\xBF\xBD";

}  // namespace

TEST(Evidence, valid_text_is_not_copied) {
    for (const std::string_view text : {"", "select 1", "caf\xC3\xA9", "0123456789abcdef\xF0\x9F\x90\x98 elephants"}) {
        const Statement statement{.text = text};
        Evidence evidence(statement, no_screen);
        EXPECT_EQ(evidence.readable_text().data(), text.data());
        EXPECT_EQ(evidence.readable_text().size(), text.size());
    }
}

TEST(Evidence, each_stray_byte_is_one_replacement_character) {
    EXPECT_EQ(readable("\xE9"), fffd);
    EXPECT_EQ(readable("caf\xE9 au lait"), "caf" + fffd + " au lait");
    EXPECT_EQ(readable("\xFF\xFE"), fffd + fffd);
    EXPECT_EQ(readable("\xC3"), fffd) << "cut off";
    EXPECT_EQ(readable("\xC0\xAF"), fffd + fffd) << "overlong";
    EXPECT_EQ(readable("\xED\xA0\x80"), fffd + fffd + fffd) << "surrogate";
    EXPECT_EQ(readable("\xC3\xA9\xE9\xC3\xA9"), "\xC3\xA9" + fffd + "\xC3\xA9");
}

TEST(Evidence, a_stray_byte_at_any_place_of_a_word_is_found) {
    for (std::size_t at = 0; at < 24; ++at) {
        std::string text(24, 'x');
        text[at] = '\xFF';
        std::string expected(24, 'x');
        expected.replace(at, 1, fffd);
        EXPECT_EQ(readable(text), expected) << at;
    }
}

TEST(Judge, a_stray_byte_hides_nothing) {
    const Engine engine = engine_of({rule("wide", "delete.*from"), rule("narrow", "drop table")});
    EXPECT_EQ(judged(engine, "delete /* caf\xE9 */ from t"), "block by wide");
    EXPECT_EQ(judged(engine, "/* \xFF */ drop table t -- \xFF"), "block by narrow");
    EXPECT_EQ(judged(engine, "select '\xE9'"), "allow");
}

}  // namespace pgsluice::policy
