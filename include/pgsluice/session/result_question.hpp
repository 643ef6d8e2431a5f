// What a server is asked before a statement is bound or described there: of what kind its result is today. The message
// that it is asked for is held meanwhile, and comes again with each part of the answer and behind it.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/statement.hpp>

#include <utility>

namespace pgsluice::session {

class ResultQuestion {
  public:
    // `then`: the client's statement. `now`: its text as it reads today, which a Describe that is owed tells of; what
    // has no number of its own (StatementCache::unshared) would be another one each time that it is looked up.
    void ask(protocol::StatementRef then, protocol::StatementRef now) {
        then_ = std::move(then);
        now_ = std::move(now);
        is_answered_ = false;
    }
    // Whether to wait for the answer. It does not come behind an error.
    bool is_open(const protocol::Exchange& exchange) {
        if (exchange.ignores_sync() || (!is_answered_ && !exchange.owes())) forget();
        return now_ != nullptr && !is_answered_;
    }
    void note_answer(const protocol::Statement& statement) { is_answered_ |= now_.get() == &statement; }
    void note_lost(const protocol::Statement& statement) {
        if (now_.get() == &statement) forget();
    }
    // For the message that comes again: what was asked of for that statement of the client's. nullptr where nothing
    // was, or where it has become another by the answer. Whatever is bound or described next ends the question.
    protocol::StatementRef take_answered(const protocol::StatementRef& then) {
        const bool is_good = is_answered_ && then_ == then && !now_->described.is_outdated;
        protocol::StatementRef now = is_good ? std::move(now_) : nullptr;
        forget();
        return now;
    }
    void forget() {
        then_ = now_ = nullptr;
        is_answered_ = false;
    }

  private:
    protocol::StatementRef then_;
    protocol::StatementRef now_;
    bool is_answered_ = false;
};

}  // namespace pgsluice::session
