// An Exchange, and what it says about each message of a server, as text: one line per message, its description behind
// what is to become of it.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/wire/frame.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>

#include <string>
#include <utility>

namespace pgsluice::protocol {

class Ledger final : public Exchange::Witness {
  public:
    // Before the exchange, which may hold statements to its end.
    StatementCache cache{{1, 2}};
    StatementRef statement = cache.intern("select 1", "");
    Exchange exchange;

    Ledger& owe(Asked asked, Fate fate = Fate::forward) {
        exchange.owe({asked, fate});
        return *this;
    }
    // A Parse or Close by the name that a client gave it.
    Ledger& owe_named(Asked asked, Fate fate, std::string name) {
        auto text = std::make_unique<OwedText>();
        text->name = std::move(name);
        exchange.owe({.asked = asked, .fate = fate, .statement = statement, .text = std::move(text)});
        return *this;
    }
    Ledger& owe_refused(Asked asked, const char (&sqlstate)[6]) {
        auto text = std::make_unique<OwedText>();
        text->error = wire::error(sqlstate, "refused");
        exchange.owe({.asked = asked, .fate = Fate::substitute, .text = std::move(text)});
        return *this;
    }

    // Settles every message of `stream`, and the invented replies whose turn has come behind each.
    std::string settle(ByteView stream) {
        std::string told;
        while (!stream.empty()) {
            const wire::Frame frame = wire::cut_backend(stream);
            const ByteView message = stream.substr(0, frame.size);
            stream.remove_prefix(frame.size);
            const auto settled =
                exchange.settle(static_cast<wire::BackendTag>(frame.tag), wire::body_of(message, frame), *this);
            told += name_of(settled) + ' ' + test::describe(message);
            if (settled == Settled::substitute)
                told += "  by " + std::string(exchange.substituted_error().code()) + '\n';
            told += invented();
        }
        return told;
    }
    std::string invented() {
        Bytes out;
        exchange.settle_invented(out, *this);
        std::string told;
        for (ByteView rest = out; !rest.empty(); rest.remove_prefix(wire::cut_backend(rest).size)) {
            told += "invent " + test::describe(rest.substr(0, wire::cut_backend(rest).size));
        }
        return told;
    }
    // What the witness was told since the last look: "+a" parsed, "-a" closed, "~a" deallocated, "!a" dropped.
    std::string take_witnessed() { return std::exchange(witnessed_, {}); }

  private:
    static std::string name_of(Settled settled) {
        switch (settled) {
            case Settled::forward: return "forward";
            case Settled::swallow: return "swallow";
            case Settled::substitute: return "substitute";
            case Settled::inspected: return "inspected";
            case Settled::replay_failed: return "replay_failed";
            case Settled::not_taken_back: return "not_taken_back";
            case Settled::not_opened: return "not_opened";
            case Settled::lost_sync: return "lost_sync";
        }
        return "?";
    }
    void note(char what, const Owed& owed) {
        if (owed.text == nullptr || owed.text->name.empty()) return;
        witnessed_ += what;
        witnessed_ += owed.text->name;
    }
    void on_parsed(const Owed& owed) override { note('+', owed); }
    void on_deallocated(const Owed& owed) override { note('~', owed); }
    void on_answered(std::uint32_t call) override { answered.push_back(call); }
    std::vector<std::uint32_t> answered;
    void on_closed(const Owed& owed) override { note('-', owed); }
    void on_dropped(const Owed& owed, bool) override { note('!', owed); }

    std::string witnessed_;
};

}  // namespace pgsluice::protocol
