#include <pgsluice/session/called_names.hpp>

#include <utility>

namespace pgsluice::session {
namespace {

ByteView key_of(ByteView name) {
    return prefix(name, CalledNames::longest_name);
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
        if (named.size() < most_names) named.emplace(std::string(key_of(name)), std::move(meaning));
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
    if (name.empty()) {
        unnamed.reset();
        return;
    }
    const auto found = named.find(key_of(name));
    if (found != named.end()) named.erase(found);
}

void CalledNames::close(ByteView kind_and_name) {
    const ByteView name = without_prefix(kind_and_name, 1);
    if (kind_and_name.starts_with('P')) forget(portals_, unnamed_portal_, name);
    if (kind_and_name.starts_with('S')) forget(statements_, unnamed_statement_, name);
}

void CalledNames::settle(bool in_transaction) {
    if (std::exchange(statements_are_gone_, false)) {
        unnamed_statement_.reset();
        statements_.clear();
    }
    if (in_transaction) return;
    unnamed_portal_.reset();
    if (!portals_.empty()) portals_.clear();
}

void CalledNames::note_failure() {
    unnamed_statement_.reset();
    unnamed_portal_.reset();
}

}  // namespace pgsluice::session
