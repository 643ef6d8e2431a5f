// Texts of statements, as strangers write them: what one may do to its session is judged without harm, and the same
// each time. The look at its words may see too much, but misses nothing that PostgreSQL's parser finds.
#include "fuzz.hpp"

#include <pgsluice/sql/session_effect.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Kept apart from what lies behind it, for the sanitizer.
    const std::string text(fuzz::view(data, size));
    const sql::SessionEffect effect = sql::session_effect(text);
    PGSLUICE_CHECK(effect == sql::session_effect(text));
    PGSLUICE_CHECK(effect <= sql::SessionEffect::loads);
    if (!sql::may_have_effect(text)) {
        PGSLUICE_CHECK(effect == sql::SessionEffect::none);
        PGSLUICE_CHECK(sql::session_effect_by_parser(text).value_or(effect) == effect);
    }
    sql::SettingNames names = sql::setting_names(text);
    sql::note_mentioned_names(text, names);
    names.in_parameters = sql::SettingNames::Hidden::for_good;
    sql::note_names_in_values(text, names);
    for (const std::string& name : names.told) PGSLUICE_CHECK(name.find('.') != std::string::npos);
    static_cast<void>(sql::is_decisive(text));
    static_cast<void>(sql::may_deallocate(text));
    if (sql::is_plain_set(text)) PGSLUICE_CHECK(text.size() >= 4);
    return 0;
}
