#include <pgsluice/session/called_names.hpp>

#include <utility>

namespace pgsluice::session {
namespace {

constexpr ByteView duplicate_statement = "42P05";
constexpr ByteView duplicate_cursor = "42P03";

ByteView key_of(ByteView name) {
    return prefix(name, CalledNames::longest_name);
}

std::size_t memory_of(const std::optional<Callee>& meaning) {
    if (!meaning) return 0;
    std::size_t bytes = meaning->facts == nullptr ? 0 : sql::memory_of(*meaning->facts);
    if (meaning->remarks != nullptr) bytes += meaning->remarks->text.size() + meaning->remarks->trace_id.size();
    return bytes;
}

}  // namespace

void CalledNames::Meanings::note(ByteView name, const Callee* callee) {
    Meaning meaning = callee == nullptr ? Meaning() : Meaning(*callee);
    if (name.empty()) {
        unnamed_ = std::move(meaning);
        return;
    }
    const auto found = named_.find(key_of(name));
    if (found == named_.end()) {
        if (named_.size() < most_names) put(named_[std::string(key_of(name))], std::move(meaning));
        return;
    }
    // Where it is taken the server refuses this one, and where it is not it has forgotten the other.
    Meaning& before = found->second;
    const bool is_either_way = before && meaning && before->limit == meaning->limit;
    put(before, is_either_way ? std::move(meaning) : Meaning());
}

void CalledNames::Meanings::put(Meaning& place, Meaning meaning) {
    bytes_ -= memory_of(place);
    const std::size_t bytes = memory_of(meaning);
    if (bytes_ + bytes > most_bytes) {
        place.reset();
        return;
    }
    bytes_ += bytes;
    place = std::move(meaning);
}

const Callee* CalledNames::Meanings::find(ByteView name) const {
    if (name.empty()) return unnamed_ ? &*unnamed_ : nullptr;
    const auto found = named_.find(key_of(name));
    return found == named_.end() || !found->second ? nullptr : &*found->second;
}

void CalledNames::Meanings::forget(ByteView name) {
    if (name.empty()) return forget_unnamed();
    const auto found = named_.find(key_of(name));
    if (found == named_.end()) return;
    bytes_ -= memory_of(found->second);
    named_.erase(found);
}

void CalledNames::Meanings::forget_all() {
    unnamed_.reset();
    if (named_.empty()) return;
    named_.clear();
    bytes_ = 0;
}

void CalledNames::Meanings::doubt(ByteView name) {
    if (const auto found = named_.find(key_of(name)); found != named_.end()) put(found->second, {});
}

void CalledNames::Meanings::doubt_named() {
    for (auto& [name, meaning] : named_) meaning.reset();
    bytes_ = 0;
}

void CalledNames::close(ByteView kind_and_name) {
    const ByteView name = without_prefix(kind_and_name, 1);
    if (kind_and_name.starts_with('P')) portals_.forget(name);
    if (kind_and_name.starts_with('S')) statements_.forget(name);
}

void CalledNames::settle(bool in_transaction) {
    if (std::exchange(statements_are_gone_, false)) statements_.forget_all();
    if (!in_transaction) portals_.forget_all();
}

void CalledNames::note_failure(ByteView sqlstate) {
    if (sqlstate == duplicate_statement) statements_.doubt_named();
    if (sqlstate == duplicate_cursor) portals_.doubt_named();
    statements_.forget_unnamed();
    portals_.forget_unnamed();
}

}  // namespace pgsluice::session
