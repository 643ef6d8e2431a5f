// Facts in one line: "delete; users:rw; lower(); users.id ?.name; no-where writes". After the kinds come relations with
// what is done to them (":" alone: named only), functions, columns ("?": of any relation), flags and counts. Parts that
// are empty are left out.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <string>

namespace pgsluice::sql {

namespace detail {

inline void add_part(std::string& picture, const std::string& part) {
    if (part.empty()) return;
    if (!picture.empty()) picture += "; ";
    picture += part;
}

inline void add_word(std::string& words, const std::string& word) {
    if (!words.empty()) words += ' ';
    words += word;
}

inline std::string qualified(const std::string& schema, const std::string& name) {
    return schema.empty() ? name : schema + "." + name;
}

inline std::string kinds_of(const Facts& facts) {
    std::string words;
    for (std::size_t i = 0; i < kind_names().size(); ++i) {
        if (facts.kinds.test(i)) words += (words.empty() ? "" : ", ") + std::string(kind_names()[i]);
    }
    return words;
}

inline std::string flags_of(const Facts& facts) {
    std::string words;
    if (facts.without_where) add_word(words, "no-where");
    if (facts.without_limit) add_word(words, "no-limit");
    if (facts.locks_rows) add_word(words, "locks");
    if (facts.may_write) add_word(words, "writes");
    if (facts.statements != 1) add_word(words, std::to_string(facts.statements) + "-statements");
    if (facts.parameters != 0) add_word(words, "$" + std::to_string(facts.parameters));
    return words;
}

}  // namespace detail

inline std::string describe(const Facts& facts) {
    std::string picture = detail::kinds_of(facts), relations, functions, columns;
    for (const Relation& each : facts.relations) {
        const std::string done = std::string(each.is_read ? "r" : "") + (each.is_written ? "w" : "");
        detail::add_word(relations, detail::qualified(each.schema, each.name) + ":" + done);
    }
    for (const Function& each : facts.functions) {
        detail::add_word(functions, detail::qualified(each.schema, each.name) + "()");
    }
    for (const Column& each : facts.columns) {
        detail::add_word(columns, (each.relation.empty() ? "?" : each.relation) + "." + each.name);
    }
    detail::add_part(picture, relations);
    detail::add_part(picture, functions);
    detail::add_part(picture, columns);
    detail::add_part(picture, detail::flags_of(facts));
    return picture;
}

inline std::string describe(const std::variant<Facts, Unparsable>& read) {
    const auto* facts = std::get_if<Facts>(&read);
    return facts == nullptr ? "unparsable: " + std::get<Unparsable>(read).why : describe(*facts);
}

}  // namespace pgsluice::sql
