// The nodes of libpg_query's parse trees, by protobuf's own description of them: whoever walks by for_each_child()
// meets every node, of types that nobody thought of too. Views into a ParseTree, which has to outlive them.
#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pgsluice::sql {

using Message = ProtobufCMessage;

// libpg_query wraps most nodes in one of type Node, whose union has a pointer for each type.
inline const Message* unwrapped(const PgQuery__Node* node) {
    if (node == nullptr || node->node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
    const void* inside = nullptr;
    std::memcpy(&inside, &node->select_stmt, sizeof inside);
    return static_cast<const Message*>(inside);
}

inline const Message* unwrapped(const Message* message) {
    if (message == nullptr || message->descriptor != &pg_query__node__descriptor) return message;
    PgQuery__Node node{};
    std::memcpy(&node, message, sizeof node);
    return unwrapped(&node);
}

// As the type that generated code declares for `descriptor`; nullptr where it is of another type.
template <class Generated>
const Generated* as(const Message* message, const ProtobufCMessageDescriptor& descriptor) {
    if (message == nullptr || message->descriptor != &descriptor) return nullptr;
    return reinterpret_cast<const Generated*>(message);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

template <class Generated>
const Message* message_of(const Generated* generated) {
    return generated == nullptr ? nullptr : &generated->base;
}

// A repeated field, as generated code has it: a count and pointers.
struct NodeList {
    std::size_t count = 0;
    PgQuery__Node* const* nodes = nullptr;

    PgQuery__Node* const* begin() const { return nodes; }
    PgQuery__Node* const* end() const { return nodes + count; }
    bool empty() const { return count == 0; }
};

// A missing string is empty: protobuf does not tell them apart.
inline std::string_view text(const char* string) {
    return string == nullptr ? std::string_view() : std::string_view(string);
}

// What a String node holds; empty for other nodes.
inline std::string_view text(const PgQuery__Node* node) {
    const bool is_string = node != nullptr && node->node_case == PG_QUERY__NODE__NODE_STRING;
    return is_string ? text(node->string->sval) : std::string_view();
}

// The nodes right below, unwrapped, in the order of their fields.
template <class Visit>
void for_each_child(const Message& message, Visit visit) {
    const auto* base = reinterpret_cast<const std::byte*>(&message);  // NOLINT
    const auto pointer_at = [base](std::size_t offset) {
        const void* pointer = nullptr;
        std::memcpy(&pointer, base + offset, sizeof pointer);
        return pointer;
    };
    const auto number_at = [base]<class Number>(std::size_t offset, Number number) {
        std::memcpy(&number, base + offset, sizeof number);
        return number;
    };
    for (unsigned i = 0; i < message.descriptor->n_fields; ++i) {
        const ProtobufCFieldDescriptor& field = message.descriptor->fields[i];
        if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
        if (field.label == PROTOBUF_C_LABEL_REPEATED) {
            const auto count = number_at(field.quantifier_offset, std::size_t{0});
            const auto* all = static_cast<const Message* const*>(pointer_at(field.offset));
            for (std::size_t each = 0; each < count; ++each) {
                if (const Message* child = unwrapped(all[each])) visit(*child);
            }
            continue;
        }
        const bool is_of_union = (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (is_of_union && number_at(field.quantifier_offset, std::uint32_t{0}) != field.id) continue;
        const auto* one = static_cast<const Message*>(pointer_at(field.offset));
        if (const Message* child = unwrapped(one)) visit(*child);
    }
}

}  // namespace pgsluice::sql
