#include "word_part.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/protocol/client_statements.hpp>

#include <algorithm>

namespace pgsluice::protocol {
namespace {

constexpr std::size_t most_mentioned = 16;

}  // namespace

// By the words of the text and not by the names: there may be tens of thousands of them.
std::vector<ClientStatements::Mentioned> ClientStatements::mentioned_in(ByteView text) const {
    std::vector<Mentioned> found;
    const auto look_for = [&](ByteView name) {
        const auto at = names_.find(name);
        if (at == names_.end() || found.size() == most_mentioned) return;
        const bool is_known =
            std::any_of(found.begin(), found.end(), [&](const auto& each) { return each.name == name; });
        if (!is_known) found.push_back({at->first, at->second.statement, at->second.batch, at->second.closed});
    };
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '"') {
            // Where quotes begin and where they end nobody has looked: what stands between any two of them counts.
            const std::size_t end = text.find('"', ++at);
            if (end != ByteView::npos) look_for(text.substr(at, end - at));
            continue;
        }
        const std::size_t begin = at;
        while (at < text.size() && is_word_part(text[at])) ++at;
        if (at == begin) {
            ++at;
            continue;
        }
        look_for(lower_case(text.substr(begin, at - begin)));
    }
    return found;
}

}  // namespace pgsluice::protocol
