// A parsed text as libpg_query's tree of protobuf messages, and a walk over it that misses no kind of node: it goes by
// the descriptors, not by a list of ours.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <pg_query/pg_query.pb-c.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::sql {

using Message = ProtobufCMessage;

// While it lives, what libpg_query reads on this thread it reads so.
class StringsAs {
  public:
    explicit StringsAs(Reading how);
    ~StringsAs();
    StringsAs(const StringsAs&) = delete;
    StringsAs& operator=(const StringsAs&) = delete;
};

// The text as libpg_query reads it right: without comments, and as long as before. One that no lexer accepts stays as
// it is.
std::string readable(ByteView text, Reading how);

class ParseTree {
  public:
    // A text with a zero byte in it is unparsable.
    static std::variant<ParseTree, Unparsable> parse(ByteView text, Reading how);

    PgQuery__ParseResult& root() const { return *root_; }
    // As SQL again, by libpg_query; nullopt where it does not know how.
    std::optional<std::string> deparse() const;

  private:
    struct Free {
        void operator()(PgQuery__ParseResult* root) const { pg_query__parse_result__free_unpacked(root, nullptr); }
    };
    explicit ParseTree(PgQuery__ParseResult* root) : root_(root) {}

    std::unique_ptr<PgQuery__ParseResult, Free> root_;
};

// The message as what it is; nullptr where it is something else. `descriptor` belongs to Node.
template <class Node>
Node* as(Message* message, const ProtobufCMessageDescriptor& descriptor) {
    return message->descriptor == &descriptor ? reinterpret_cast<Node*>(message) : nullptr;
}

// The messages right below one, in the order of the tree's definition.
std::vector<Message*> children_of(const Message& message);

// Calls visit(message) for the message and everything below it, those above first. Keeps its own stack, for trees may
// be deep.
template <class Visit>
void for_each_message(Message& top, Visit visit) {
    std::vector<Message*> left{&top};
    while (!left.empty()) {
        Message* message = left.back();
        left.pop_back();
        visit(*message);
        const auto below = children_of(*message);
        left.insert(left.end(), below.rbegin(), below.rend());
    }
}

}  // namespace pgsluice::sql
