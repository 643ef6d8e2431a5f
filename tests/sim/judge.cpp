#include "judge.hpp"

#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/reader.hpp>

#include <support/describe.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace pgsluice::sim {
namespace {

struct Message {
    char tag;
    Bytes whole;
    std::map<char, std::string> fields;  // of an error or notice

    bool is_ours() const { return fields.contains('R'); }
    bool is_fatal() const { return tag == 'E' && fields.at('V') == "FATAL"; }
};

std::vector<Message> messages_of(ByteView bytes) {
    std::vector<Message> messages;
    while (!bytes.empty()) {
        const wire::Frame frame = wire::cut_backend(bytes);
        if (frame.cut != wire::Cut::frame || frame.size > bytes.size()) break;
        Message message{frame.tag, Bytes(bytes.substr(0, frame.size)), {}};
        if (frame.tag == 'E' || frame.tag == 'N') {
            wire::Reader reader(wire::body_of(bytes, frame));
            while (const char code = static_cast<char>(reader.byte())) message.fields[code] = reader.string();
        }
        messages.push_back(std::move(message));
        bytes.remove_prefix(frame.size);
    }
    return messages;
}

// Without the greeting, which ends with the first ReadyForQuery.
std::vector<Message> answers_to(ByteView bytes) {
    std::vector<Message> messages = messages_of(bytes);
    const auto greeted = std::find_if(messages.begin(), messages.end(),
                                      [](const Message& message) { return message.tag == 'Z' || message.tag == 'E'; });
    if (greeted != messages.end()) messages.erase(messages.begin(), greeted + (greeted->tag == 'Z' ? 1 : 0));
    return messages;
}

class Judge {
  public:
    Judge(const Conversation& conversation, Events& events)
        : conversation_(conversation),
          events_(events),
          seen_(answers_to(conversation.received)),
          reference_(std::in_place, events, ModelServer::Kind::reference) {
        // That it waits for a server.
        std::erase_if(seen_, [](const Message& message) { return message.tag == 'N' && message.is_ours(); });
    }

    std::string judge() {
        ByteView rest = conversation_.sent;
        while (problem_.empty() && !rest.empty()) {
            const wire::Frame frame = wire::cut_frontend(rest);
            if (frame.cut != wire::Cut::frame || frame.size > rest.size()) break;
            answer(rest.substr(0, frame.size));
            rest.remove_prefix(frame.size);
        }
        if (problem_.empty()) finish();
        return problem_;
    }

  private:
    void answer(ByteView frame) {
        const ModelServer before = *reference_;
        reference_->receive(frame);
        auto right = messages_of(reference_->take());
        for (std::size_t i = 0; i < right.size() && problem_.empty(); ++i) {
            if (at_ == seen_.size()) {
                is_missing_ = true;
            } else if (seen_[at_].is_fatal()) {
                is_ended_ = true;
            }
            if (is_missing_ || is_ended_) return;
            const Message& message = seen_[at_];
            if (message.whole == right[i].whole) {
                ++at_;
            } else if (i == 0 && is_refusal(message, before)) {
                reference_.emplace(before);
                reference_->refuse(frame, message.whole);
                right = messages_of(reference_->take());
                ++at_;
            } else {
                problem_ = wrong("message " + std::to_string(at_) + " differs", right[i]);
            }
        }
    }

    bool is_refusal(const Message& message, const ModelServer& before) const {
        if (message.tag != 'E') return false;
        const std::string& sqlstate = message.fields.at('C');
        if (sqlstate == "25P02") return before.status() == 'E';
        return message.is_ours() && (sqlstate == "53300" || (sqlstate == "57014" && conversation_.has_asked_to_cancel));
    }

    void finish() {
        if (at_ < seen_.size() && seen_[at_].is_fatal()) {
            if (!conversation_.may_be_ended) problem_ = wrong("FATAL, and there was no fault");
            if (at_ + 1 < seen_.size()) problem_ = wrong("something behind FATAL");
        } else if (at_ < seen_.size()) {
            problem_ = wrong("too much");
        } else if (is_missing_ && conversation_.is_there) {
            problem_ = wrong("answers are missing");
        }
        for (const auto& [tag, really] : events_.runs) {
            if (!tag.starts_with(conversation_.tags)) continue;
            const auto runs = reference_->runs().find(tag);
            if (runs == reference_->runs().end() || really > runs->second)
                problem_ = wrong(tag + " ran " + std::to_string(really) + " times");
        }
    }

    std::string wrong(const std::string& what) const {
        return what + "\nit sent\n" + test::describe_client(conversation_.sent) + "it read\n" +
               test::describe(conversation_.received);
    }
    std::string wrong(const std::string& what, const Message& right) const {
        return wrong(what) + "where a server of its own says\n" + test::describe(right.whole);
    }

    const Conversation& conversation_;
    Events& events_;
    std::vector<Message> seen_;
    std::optional<ModelServer> reference_;
    std::size_t at_ = 0;
    bool is_missing_ = false, is_ended_ = false;
    std::string problem_;
};

}  // namespace

std::string judge(const Conversation& conversation, Events& events) {
    return Judge(conversation, events).judge();
}

std::size_t readies_in(ByteView received) {
    const auto messages = answers_to(received);
    return static_cast<std::size_t>(
        std::count_if(messages.begin(), messages.end(), [](const Message& message) { return message.tag == 'Z'; }));
}

}  // namespace pgsluice::sim
