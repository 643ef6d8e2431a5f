#include "normalize.hpp"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <memory>

namespace pgsluice::sql {
namespace {

bool is_constant(PgQuery__Token token) {
    switch (token) {
        case PG_QUERY__TOKEN__FCONST:
        case PG_QUERY__TOKEN__SCONST:
        case PG_QUERY__TOKEN__USCONST:
        case PG_QUERY__TOKEN__BCONST:
        case PG_QUERY__TOKEN__XCONST:
        case PG_QUERY__TOKEN__ICONST: return true;
        default: return false;
    }
}

bool is_comment(PgQuery__Token token) {
    return token == PG_QUERY__TOKEN__SQL_COMMENT || token == PG_QUERY__TOKEN__C_COMMENT;
}

struct FreeScan {
    void operator()(PgQuery__ScanResult* result) const { pg_query__scan_result__free_unpacked(result, nullptr); }
};
using Scan = std::unique_ptr<PgQuery__ScanResult, FreeScan>;

Scan scan(const std::string& text) {
    PgQueryScanResult scanned = pg_query_scan(text.c_str());
    Scan result;
    if (scanned.error == nullptr) {
        const auto* packed = reinterpret_cast<const std::uint8_t*>(scanned.pbuf.data);
        result.reset(pg_query__scan_result__unpack(nullptr, scanned.pbuf.len, packed));
    }
    pg_query_free_scan_result(scanned);
    return result;
}

}  // namespace

std::string normalized(ByteView text, std::uint32_t parameters) {
    const Scan scanned = scan(std::string(text));
    if (scanned == nullptr) return {};
    std::string out;
    std::size_t end = 0;
    for (std::size_t i = 0; i < scanned->n_tokens; ++i) {
        const PgQuery__ScanToken& token = *scanned->tokens[i];
        if (is_comment(token.token)) continue;
        const auto begin = static_cast<std::size_t>(token.start);
        if (begin > end && !out.empty()) out += ' ';
        end = static_cast<std::size_t>(token.end);
        if (is_constant(token.token))
            out += '$' + std::to_string(++parameters);
        else
            out += text.substr(begin, end - begin);
    }
    return out;
}

}  // namespace pgsluice::sql
