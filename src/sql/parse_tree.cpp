#include "parse_tree.hpp"

#include "lexer.hpp"

#include <pg_query.h>

#include <cstring>

// PostgreSQL's own variable, which libpg_query keeps for each thread.
extern "C" __thread bool standard_conforming_strings;

namespace pgsluice::sql {
namespace {

template <class Field>
const Field& at(const Message& message, unsigned offset) {
    return *reinterpret_cast<const Field*>(reinterpret_cast<const char*>(&message) + offset);
}

}  // namespace

StringsAs::StringsAs(Reading how) {
    ::standard_conforming_strings = how.standard_conforming_strings;
}

StringsAs::~StringsAs() {
    ::standard_conforming_strings = true;
}

std::string readable(ByteView text, Reading how) {
    return without_comments(text, how).value_or(std::string(text));
}

std::variant<ParseTree, Unparsable> ParseTree::parse(ByteView text, Reading how) {
    if (text.find('\0') != ByteView::npos) return Unparsable{"the text has a zero byte in it"};
    const StringsAs strings(how);
    const std::string terminated(text);
    PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(terminated.c_str());
    std::variant<ParseTree, Unparsable> out = Unparsable{"its tree cannot be read"};
    if (parsed.error != nullptr) {
        out = Unparsable{parsed.error->message};
    } else {
        const auto* packed = reinterpret_cast<const std::uint8_t*>(parsed.parse_tree.data);
        if (auto* root = pg_query__parse_result__unpack(nullptr, parsed.parse_tree.len, packed)) out = ParseTree(root);
    }
    pg_query_free_protobuf_parse_result(parsed);
    return out;
}

std::optional<std::string> ParseTree::deparse() const {
    std::string packed(pg_query__parse_result__get_packed_size(root_.get()), '\0');
    pg_query__parse_result__pack(root_.get(), reinterpret_cast<std::uint8_t*>(packed.data()));
    PgQueryDeparseResult made = pg_query_deparse_protobuf({packed.size(), packed.data()});
    std::optional<std::string> text;
    if (made.error == nullptr) text = made.query;
    pg_query_free_deparse_result(made);
    return text;
}

std::vector<Message*> children_of(const Message& message) {
    std::vector<Message*> children;
    const ProtobufCMessageDescriptor& descriptor = *message.descriptor;
    for (unsigned i = 0; i < descriptor.n_fields; ++i) {
        const ProtobufCFieldDescriptor& field = descriptor.fields[i];
        if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
        if (field.label == PROTOBUF_C_LABEL_REPEATED) {
            const auto count = at<std::size_t>(message, field.quantifier_offset);
            Message* const* list = at<Message* const*>(message, field.offset);
            children.insert(children.end(), list, list + count);
            continue;
        }
        const bool is_one_of = (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (is_one_of && at<std::uint32_t>(message, field.quantifier_offset) != field.id) continue;
        if (Message* child = at<Message*>(message, field.offset)) children.push_back(child);
    }
    return children;
}

}  // namespace pgsluice::sql
