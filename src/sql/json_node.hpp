// The nodes of libpg_query's parse trees as JSON.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace pgsluice::sql {

// nullptr where the field is missing or of another type.
inline const boost::json::object* object_of(const boost::json::object& node, std::string_view key) {
    const boost::json::value* found = node.if_contains(key);
    return found == nullptr ? nullptr : found->if_object();
}

inline const boost::json::array* array_of(const boost::json::object& node, std::string_view key) {
    const boost::json::value* found = node.if_contains(key);
    return found == nullptr ? nullptr : found->if_array();
}

inline std::string_view text_of(const boost::json::object& node, std::string_view key) {
    const boost::json::value* found = node.if_contains(key);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

inline bool is_true(const boost::json::object& node, std::string_view key) {
    const boost::json::value* found = node.if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

// What a value is where it is a node of that kind, which is its only field.
inline const boost::json::object* node_of(const boost::json::value& value, std::string_view kind) {
    const boost::json::object* object = value.if_object();
    return object == nullptr ? nullptr : object_of(*object, kind);
}

// The value of a constant, by what kind it is; nullptr where the argument is no such constant.
inline const boost::json::object* constant_of(const boost::json::value& argument, std::string_view kind) {
    const boost::json::object* constant = node_of(argument, "A_Const");
    return constant == nullptr ? nullptr : object_of(*constant, kind);
}

// The last part of a list of names.
inline std::string_view last_name(const boost::json::object& node, std::string_view key) {
    const boost::json::array* parts = array_of(node, key);
    if (parts == nullptr || parts->empty()) return {};
    const boost::json::object* string = node_of(parts->back(), "String");
    return string == nullptr ? std::string_view() : text_of(*string, "sval");
}

}  // namespace pgsluice::sql
