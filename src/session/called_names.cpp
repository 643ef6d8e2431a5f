#include <pgsluice/session/called_names.hpp>

namespace pgsluice::session {
namespace {

std::string key_of(ByteView name) {
    return std::string(prefix(name, CalledNames::longest_name));
}

}  // namespace

void CalledNames::note(Named& named, Meaning& unnamed, ByteView name, const Callee* callee) {
    Meaning meaning = callee == nullptr ? Meaning() : Meaning(*callee);
    if (name.empty()) {
        unnamed = std::move(meaning);
        return;
    }
    const auto found = named.find(key_of(name));
    if (found == named.end()) {
        if (named.size() < most_names) named.emplace(key_of(name), std::move(meaning));
        return;
    }
    // Where it is taken the server refuses this one, and where it is not it has forgotten the other.
    Meaning& before = found->second;
    const bool is_either_way = before && meaning && before->limit == meaning->limit;
    before = is_either_way ? std::move(meaning) : Meaning();
}

const Callee* CalledNames::find(const Named& named, const Meaning& unnamed, ByteView name) {
    if (name.empty()) return unnamed ? &*unnamed : nullptr;
    const auto found = named.find(key_of(name));
    return found == named.end() || !found->second ? nullptr : &*found->second;
}

void CalledNames::forget(Named& named, Meaning& unnamed, ByteView name) {
    if (name.empty())
        unnamed.reset();
    else
        named.erase(key_of(name));
}

void CalledNames::close_portals() {
    unnamed_portal_.reset();
    if (!portals_.empty()) portals_.clear();
}

void CalledNames::close_statements() {
    unnamed_statement_.reset();
    statements_.clear();
}

void CalledNames::note_failure() {
    unnamed_statement_.reset();
    unnamed_portal_.reset();
}

}  // namespace pgsluice::session
