// What an application says about a statement in a comment at its end or its beginning, as sqlcommenter writes it:
// /*action='checkout',traceparent='00-...'*/. A client may say there what it likes, so it is no proof of anything.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <string>
#include <vector>

namespace pgsluice::sql {

struct CommentTag {
    std::string key, value;  // decoded
    friend bool operator==(const CommentTag&, const CommentTag&) = default;
};

// In their order, at most 32; empty where there is no such comment. One that is not well formed is read as far as it
// is.
std::vector<CommentTag> comment_tags(ByteView text);

// The trace id (32 hexadecimal digits) of the traceparent tag, W3C Trace Context; empty where there is none.
std::string trace_id(const std::vector<CommentTag>& tags);

}  // namespace pgsluice::sql
