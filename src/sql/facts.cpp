#include "facts_reader.hpp"
#include "normalize.hpp"

#include <pg_query.h>

namespace pgsluice::sql {
namespace {

// libpg_query reads a text again for it; the settings are those of the parse.
std::uint64_t fingerprint_of(ByteView text) {
    const std::string terminated(text);
    const PgQueryFingerprintResult result = pg_query_fingerprint(terminated.c_str());
    const std::uint64_t fingerprint = result.error == nullptr ? result.fingerprint : 0;
    pg_query_free_fingerprint_result(result);
    return fingerprint;
}

}  // namespace

std::variant<Facts, Unparsable> read_facts(ByteView text, Reading how) {
    const std::string plain = readable(text, how);
    auto parsed = ParseTree::parse(plain, how);
    if (auto* unparsable = std::get_if<Unparsable>(&parsed)) return std::move(*unparsable);
    Facts facts;
    FactsReader(plain, facts).read(std::get<ParseTree>(parsed).root());
    const StringsAs strings(how);
    facts.fingerprint = fingerprint_of(plain);
    facts.normalized = normalized(plain, facts.parameters);
    return facts;
}

}  // namespace pgsluice::sql
