#include <pgsluice/protocol/accepted_values.hpp>

#include <boost/container_hash/hash.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::protocol {
namespace {

constexpr ByteView temp_buffers = "temp_buffers";

template <std::size_t size>
bool is_one_of(const std::array<ByteView, size>& names, ByteView name) {
    return std::any_of(names.begin(), names.end(), [&](ByteView each) { return same_name(name, each); });
}

bool decides_about_rights_or_objects(ByteView name) {
    return is_rights(name) || is_one_of<2>({"search_path", "row_security"}, name);
}

// What exists when it is set, or what the session has done before, decides about its values.
bool may_be_refused_later(ByteView name) {
    return is_one_of<5>({"default_table_access_method", "default_tablespace", "default_text_search_config",
                         "temp_tablespaces", temp_buffers},
                        name);
}

bool is_always_awaited(ByteView name) {
    return decides_about_rights_or_objects(name) || may_be_refused_later(name);
}

// In whatever state the server is.
bool is_never_refused(const Parameter& setting) {
    return same_name(setting.name, "application_name") && is_ascii(setting.value);
}

// Of less than a second it may strike the replay itself. pg_settings tells milliseconds without their unit.
bool is_short_timeout(const Parameter* timeout) {
    if (timeout == nullptr || timeout->value == "0") return false;
    ByteView value = timeout->value;
    if (value.ends_with("ms")) value.remove_suffix(2);
    return value.size() < 4 && value.find_first_not_of("0123456789") == ByteView::npos;
}

std::uint64_t digest(const Parameter& setting) {
    std::size_t seed = 0;
    const auto add = [&](const std::string& part) { boost::hash_combine(seed, std::hash<std::string>{}(part)); };
    add(setting.name);
    add(setting.value);
    if (!setting.encoding.empty()) add(setting.encoding);
    return seed;
}

bool stays(const SettingDifference& each) {
    return each.present != nullptr && each.wanted != nullptr && same_value(*each.present, *each.wanted);
}

bool must_be_awaited(const SettingDifference& each, const AcceptedValues& accepted) {
    if (stays(each)) return false;
    if (each.wanted != nullptr) return !accepted.has(*each.wanted) && !is_never_refused(*each.wanted);
    // Another role that was on may have set it, or nobody had to have a right to: a setting of an extension is
    // anybody's until its library is loaded.
    return decides_about_rights_or_objects(each.name()) || !is_anybodys(each.name());
}

}  // namespace

bool AcceptedValues::has(const Parameter& setting) const {
    return known_.contains(digest(setting));
}

void AcceptedValues::propose(const SettingsDifference& difference) {
    proposed_.clear();
    for (const SettingDifference& each : difference.all()) {
        const bool counts = each.wanted != nullptr && !is_always_awaited(each.name());
        if (counts) proposed_.push_back(digest(*each.wanted));
    }
}

void AcceptedValues::accept_proposed() {
    if (known_.size() + proposed_.size() > limit) known_.clear();
    known_.insert(proposed_.begin(), proposed_.end());
    proposed_ = {};
}

bool must_be_awaited(const SettingsDifference& difference, const AcceptedValues& accepted) {
    if (is_short_timeout(difference.has().find("statement_timeout"))) return true;
    const auto& all = difference.all();
    return std::any_of(all.begin(), all.end(),
                       [&](const SettingDifference& each) { return must_be_awaited(each, accepted); });
}

bool depend_on_server(const ParameterSet& wanted) {
    return wanted.find(temp_buffers) != nullptr;
}

}  // namespace pgsluice::protocol
