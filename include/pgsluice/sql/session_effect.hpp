// What a statement may do to its session beyond the end of its transaction. Judged by PostgreSQL's own parser, and
// never too low: what cannot be told counts as anything. What functions do inside is not seen.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>
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
    loads,     // LOAD: what it does can be neither seen nor undone
};

// Whether it surely leaves something that no other server can be given.
constexpr bool pins(SessionEffect effect) {
    return effect == SessionEffect::leaves || effect == SessionEffect::locks || effect == SessionEffect::loads;
}

// Whether a setting may change what a text means. All may, but for a few that say how long a
// statement may take or what is told of it, those of extensions (only functions read them), and role and
// session_authorization (PostgreSQL plans anew for another role by itself). Case is ignored.
bool is_decisive(ByteView setting);

// Whether the text is one SET and nothing else, so that after it the settings are known by what they were before.
bool is_plain_set(ByteView text);

// Whether it may take prepared statements away.
bool may_deallocate(ByteView text);

// Whether it may run what PREPARE has prepared.
bool may_execute(ByteView text);

// Whether it may end a transaction, by one of its statements. Says yes too often rather than once too rarely.
bool may_end_transaction(ByteView text);

// Whether a word that could have an effect stands in the text, in whatever part of it, and so however it is read.
bool may_have_effect(ByteView text);

// Texts without such a word cost one pass over their bytes; others are parsed, and remembered by the thread that asks.
SessionEffect session_effect(ByteView text);

// The names of settings of extensions and applications ("app.tenant") that the text may speak of, in whatever part of
// it; at most 64, in lower case. PostgreSQL lists none of them, so they must be asked for by name.
std::vector<std::string> custom_setting_names(ByteView text);

}  // namespace pgsluice::sql
