// What a statement may do to its session beyond the end of its transaction. Judged by PostgreSQL's own parser, and
// never too low: what cannot be told counts as anything. What functions do inside is not seen.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/sql/resets.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::sql {

// In order: what is true of one is included in the next.
enum class SessionEffect : std::uint8_t {
    none,
    ends,      // may only end what earlier statements left: DROP, CLOSE, UNLISTEN, DEALLOCATE, pg_advisory_unlock
    names,     // a setting of an application until the end of the transaction, whose name stays: SET LOCAL app.tenant
    local,     // another setting until the end of the transaction, or what hides tables so long
    changes,   // a setting
    leaves,    // something that stays on the server: LISTEN, PREPARE, a temporary table, a cursor WITH HOLD
    anything,  // DO, CALL, text that is not understood
    locks,     // a session advisory lock
    loads,     // LOAD, dblink_connect and their like: what they leave can be neither seen nor undone
};

// Whether it surely leaves something that no other server can be given.
constexpr bool pins(SessionEffect effect) {
    return effect == SessionEffect::leaves || effect == SessionEffect::locks || effect == SessionEffect::loads;
}

// Whether a setting may change what a text means. All may, but for a few that say how long a statement may take or what
// is told of it, and those of extensions (only functions read them). Of role and session_authorization depends where
// "$user" in search_path leads, and which of its schemas may be used. Case is ignored.
bool is_decisive(ByteView setting);

// Whether the text is one SET and nothing else, so that after it the settings are known by what they were before.
bool is_plain_set(ByteView text);

// Whether it may take prepared statements away.
bool may_deallocate(ByteView text);

// Names that may stand for something else behind the text: DEALLOCATE, CLOSE, DISCARD and DO, which may do either.
struct TakenNames {
    bool statements = false, portals = false;
};
TakenNames may_take_names(ByteView text);

// Whether it may run what PREPARE has prepared.
bool may_execute(ByteView text);

// Whether it may end a transaction, by one of its statements. Says yes too often rather than once too rarely.
bool may_end_transaction(ByteView text);

// Whether a word that could have an effect stands in the text, in whatever part of it, and so however it is read.
bool may_have_effect(ByteView text);

// Texts without such a word cost one pass over their bytes; others are parsed, and remembered by the thread that asks.
SessionEffect session_effect(ByteView text);

// What the parser says of it, whatever words stand there; nullopt where it does not understand the text. By this the
// fuzzing proves that no word is missing above.
std::optional<SessionEffect> session_effect_by_parser(ByteView text);

// Whether it names the session's temporary schema, or might: as a value of search_path it makes tables temporary.
bool speaks_of_temporary_schema(ByteView text);

// The settings of extensions and applications ("app.tenant") that a text may make. PostgreSQL lists none of them, so
// they must be asked for by name.
struct SettingNames {
    // In order: what is true of one is included in the next.
    enum class Hidden : std::uint8_t {
        none,
        until_end,  // the value ends with the transaction, though the name stays
        for_good,
    };
    std::vector<std::string> told;        // in lower case, as PostgreSQL cuts them
    Hidden in_parameters = Hidden::none;  // those whose names come with the parameters
    Hidden hidden = Hidden::none;         // those whose names cannot be told
    Resets resets{};                      // what is reset by the text, where a tree tells
};

// As PostgreSQL's parser reads them; of a text that it cannot read, or that runs others (DO, CALL), what looks like
// one.
SettingNames setting_names(ByteView text);
// What looks like a name, in whatever part of the text; of more than 64 the others are hidden.
void note_mentioned_names(ByteView text, SettingNames& names);
// The values of a text whose names are in_parameters: formats, count and values, as Bind and FunctionCall have them.
void note_names_in_values(ByteView values, SettingNames& names);

}  // namespace pgsluice::sql
