#include "parse_tree.hpp"

#include <pg_query.h>

#include <algorithm>

// Settings of libpg_query's lexer, one for each thread.
extern "C" __thread bool standard_conforming_strings;
extern "C" __thread bool escape_string_warning;

namespace pgsluice::sql {

namespace {

// Without what it quotes: that may be long, or a secret.
std::string why(const PgQueryError& error) {
    const std::string message = error.message == nullptr ? "syntax error" : error.message;
    return message.substr(0, std::min({message.find(" at or near "), message.find(": "), message.find(" \"")}));
}

const std::uint8_t* octets(const PgQueryProtobuf& packed) {
    return reinterpret_cast<const std::uint8_t*>(packed.data);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

}  // namespace

ReadingGuard::ReadingGuard(Reading how) {
    standard_conforming_strings = how.standard_conforming_strings;
    escape_string_warning = false;  // it would go to this process's standard error
}

ReadingGuard::~ReadingGuard() {
    standard_conforming_strings = true;
    escape_string_warning = true;
}

std::variant<ParseTree, Unparsable> parse_tree_of(const std::string& text) {
    const PgQueryProtobufParseResult result = pg_query_parse_protobuf(text.c_str());
    std::variant<ParseTree, Unparsable> tree = Unparsable{"the parse tree could not be read"};
    if (result.error != nullptr) {
        tree = Unparsable{why(*result.error)};
    } else if (ParseTree unpacked(
                   pg_query__parse_result__unpack(nullptr, result.parse_tree.len, octets(result.parse_tree)));
               unpacked != nullptr) {
        tree = std::move(unpacked);
    }
    pg_query_free_protobuf_parse_result(result);
    return tree;
}

std::variant<Tokens, Unparsable> tokens_of(const std::string& text) {
    const PgQueryScanResult result = pg_query_scan(text.c_str());
    std::variant<Tokens, Unparsable> tokens = Unparsable{"the tokens could not be read"};
    if (result.error != nullptr) {
        tokens = Unparsable{why(*result.error)};
    } else if (Tokens unpacked(pg_query__scan_result__unpack(nullptr, result.pbuf.len, octets(result.pbuf)));
               unpacked != nullptr) {
        tokens = std::move(unpacked);
    }
    pg_query_free_scan_result(result);
    return tokens;
}

}  // namespace pgsluice::sql
