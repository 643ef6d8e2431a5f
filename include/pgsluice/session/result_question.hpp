// What a server is asked before a statement is bound or described there: what it says of it today. The message that it
// is asked for is held meanwhile, and comes again with each part of the answer and behind it.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/statement.hpp>

#include <optional>
#include <utility>

namespace pgsluice::session {

class ResultQuestion {
  public:
    struct Answer {
        protocol::StatementRef now;
        protocol::DescriptionRef said;
    };

    // `then`: the client's statement. `now`: its text as it reads today, which a Describe that is owed tells of.
    void ask(protocol::StatementRef then, protocol::StatementRef now) {
        then_ = std::move(then);
        answer_ = {std::move(now), nullptr};
    }
    // Whether to wait for the answer. It does not come behind an error.
    bool waits(const protocol::Exchange& exchange) const {
        return then_ != nullptr && answer_.said == nullptr && exchange.owes() && !exchange.ignores_sync();
    }
    void note_answer(const protocol::Statement& statement, const protocol::DescriptionRef& said) {
        if (answer_.now.get() == &statement) answer_.said = said;
    }
    void note_lost(const protocol::Statement& statement) {
        if (answer_.now.get() == &statement) forget();
    }
    // For the message that comes again: what was asked of for that statement, which is not looked up anew, since a text
    // that nobody shares (StatementCache::unshared) would be another one each time. Whatever is bound or described next
    // ends the question.
    std::optional<Answer> take_answer(const protocol::StatementRef& then) {
        std::optional<Answer> answer;
        if (answer_.said != nullptr && then_ == then) answer = std::move(answer_);
        forget();
        return answer;
    }
    void forget() {
        if (then_ == nullptr) return;
        then_ = nullptr;
        answer_ = {};
    }

  private:
    protocol::StatementRef then_;
    Answer answer_;
};

}  // namespace pgsluice::session
