// Texts of statements, as strangers write them: their facts are found without harm, and are the same whether they are
// read anew, come out of a cache or stand behind a comment. What facts say lasts in a session, the look at its words
// has seen. What is written out again can be read.
#include "fuzz.hpp"
#include "unit/sql/facts_picture.hpp"

#include <pgsluice/sql/facts_cache.hpp>
#include <pgsluice/sql/rewrite.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <algorithm>

using namespace pgsluice;
using sql::Facts;
using sql::Reading;

namespace {

// The parser goes down by recursion, and here it has the stack of an ordinary thread.
constexpr std::size_t longest_text = 1500;

// Texts that differ in blanks share their facts, so that the normalized text has those of one of them.
std::string picture_of(const Facts& facts) {
    std::string words = facts.normalized;
    words.erase(std::remove(words.begin(), words.end(), ' '), words.end());
    return sql::describe(facts) + "; " + words + "; " + std::to_string(facts.fingerprint);
}

// Of a text that is wrong inside of a constant alone ('\xff' as an escape) the cache may have facts, those of its
// pattern: PostgreSQL refuses it.
void check_cache(ByteView text, Reading how, const Facts* facts) {
    // Small, so that it forgets; and it has met all that came before.
    static sql::FactsCache cache({1, 2}, {.memory = 1 << 16, .longest_text = longest_text});
    for (int times = 0; times < 2; ++times) {
        const sql::FactsRef& found = cache.facts_of(text, how);
        if (facts == nullptr) continue;
        PGSLUICE_CHECK(found != nullptr && picture_of(*found) == picture_of(*facts));
    }
}

bool locks_a_session(const sql::Function& called) {
    return called.name == "pg_advisory_lock" || called.name == "pg_try_advisory_lock_shared";
}

// Too much may be seen, but nothing missed.
void check_effect(const std::string& text, const Facts& facts) {
    static const sql::Kinds lasting = *sql::kinds_named("listen") | *sql::kinds_named("load") |
                                      *sql::kinds_named("do") | *sql::kinds_named("call") |
                                      *sql::kinds_named("prepare") | *sql::kinds_named("discard all");
    const bool lasts =
        (facts.kinds & lasting).any() || std::any_of(facts.functions.begin(), facts.functions.end(), locks_a_session);
    if (lasts) PGSLUICE_CHECK(sql::session_effect(text) != sql::SessionEffect::none);
}

void check_edit(ByteView text, Reading how) {
    const sql::Edits edits{.tables = {{"t", "other"}}, .schemas = {{"s", "Else where"}}, .limit = 10};
    const auto made = sql::edited(text, edits, how);
    if (const auto* other = std::get_if<std::string>(&made)) {
        PGSLUICE_CHECK(std::holds_alternative<Facts>(sql::read_facts(*other, how)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const Reading how{.standard_conforming_strings = fuzz::choice(input) % 2 == 0};
    const std::string text(input);
    if (text.size() > longest_text) return 0;
    const auto read = sql::read_facts(text, how);
    const auto* facts = std::get_if<Facts>(&read);
    check_cache(text, how, facts);
    if (facts == nullptr) return 0;
    const auto behind = sql::read_facts("/* ' */ -- \"\n" + text, how);
    PGSLUICE_CHECK(std::holds_alternative<Facts>(behind));
    PGSLUICE_CHECK(picture_of(std::get<Facts>(behind)) == picture_of(*facts));
    if (how.standard_conforming_strings) check_effect(text, *facts);
    check_edit(text, how);
    return 0;
}
