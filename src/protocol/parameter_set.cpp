#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/protocol/parameter_set.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

namespace pgsluice::protocol {
namespace {

std::size_t hash_of(const std::vector<Parameter>& parameters) {
    std::size_t hash = parameters.size();
    for (const Parameter& parameter : parameters) {
        hash = hash * 31 + std::hash<std::string>{}(parameter.name);
        hash = hash * 31 + std::hash<std::string>{}(parameter.value);
    }
    return hash;
}

}  // namespace

int compare_names(ByteView a, ByteView b) {
    if (a == b) return 0;
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        const int difference =
            static_cast<unsigned char>(lower_case(a[i])) - static_cast<unsigned char>(lower_case(b[i]));
        if (difference != 0) return difference;
    }
    return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

bool same_name(ByteView a, ByteView b) {
    return a.size() == b.size() && compare_names(a, b) == 0;
}

bool same_value(const Parameter& a, const Parameter& b) {
    return a.value == b.value && (a.encoding == b.encoding || is_ascii(a.value));
}

bool is_carried(ByteView reported_name) {
    static constexpr std::array<ByteView, 7> fixed{"server_version",  "server_encoding",       "integer_datetimes",
                                                   "is_superuser",    "session_authorization", "in_hot_standby",
                                                   "scram_iterations"};
    return std::find(fixed.begin(), fixed.end(), reported_name) == fixed.end();
}

ParameterSet::ParameterSet(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
    const auto by_name = [](const Parameter& a, const Parameter& b) { return compare_names(a.name, b.name) < 0; };
    // Most are made of another set.
    if (!std::is_sorted(parameters_.begin(), parameters_.end(), by_name))
        std::sort(parameters_.begin(), parameters_.end(), by_name);
    has_custom_ =
        std::any_of(parameters_.begin(), parameters_.end(), [](const Parameter& each) { return is_custom(each.name); });
    const Parameter* encoding = find(client_encoding);
    encoding_ = encoding == nullptr ? no_encoding : static_cast<std::size_t>(encoding - parameters_.data());
    const Parameter* idle_limit = find(idle_session_timeout);
    ends_idle_sessions_ = idle_limit != nullptr && idle_limit->value != "0";
    for (Parameter& each : parameters_) {
        if (each.reported) reported_bytes_ += each.name.size() + each.value.size();
        if (is_ascii(each.name) && is_ascii(each.value))
            each.encoding.clear();
        else if (each.encoding.empty())
            each.encoding = this->encoding();
    }
}

bool ParameterSet::names_custom_of(const ParameterSet& other) const {
    return !other.has_custom_ ||
           std::all_of(other.parameters_.begin(), other.parameters_.end(),
                       [this](const Parameter& each) { return !is_custom(each.name) || find(each.name) != nullptr; });
}

const Parameter* ParameterSet::find(ByteView name) const {
    const auto at =
        std::lower_bound(parameters_.begin(), parameters_.end(), name,
                         [](const Parameter& a, ByteView wanted) { return compare_names(a.name, wanted) < 0; });
    return at == parameters_.end() || compare_names(at->name, name) != 0 ? nullptr : &*at;
}

std::vector<Parameter> ParameterSet::reported() const {
    std::vector<Parameter> parameters = parameters_;
    std::erase_if(parameters, [](const Parameter& each) { return !each.reported; });
    return parameters;
}

ParameterList::ParameterList(std::vector<Parameter> parameters)
    : parameters_(std::move(parameters)), by_name_(parameters_.size()) {
    std::iota(by_name_.begin(), by_name_.end(), std::uint32_t{0});
    std::sort(by_name_.begin(), by_name_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return compare_names(parameters_[a].name, parameters_[b].name) < 0;
    });
}

std::vector<std::uint32_t>::const_iterator ParameterList::place_of(ByteView name) const {
    return std::lower_bound(by_name_.begin(), by_name_.end(), name, [this](std::uint32_t index, ByteView wanted) {
        return compare_names(parameters_[index].name, wanted) < 0;
    });
}

const Parameter* ParameterList::find(ByteView name) const {
    const auto at = place_of(name);
    return at == by_name_.end() || !same_name(parameters_[*at].name, name) ? nullptr : &parameters_[*at];
}

Parameter* ParameterList::find(ByteView name) {
    return const_cast<Parameter*>(std::as_const(*this).find(name));
}

Parameter& ParameterList::add(Parameter parameter) {
    by_name_.insert(place_of(parameter.name), static_cast<std::uint32_t>(parameters_.size()));
    return parameters_.emplace_back(std::move(parameter));
}

ParameterSetRef ParameterTable::intern(std::vector<Parameter> parameters) {
    ParameterSet set(std::move(parameters));
    const std::size_t hash = hash_of(set.all());
    const auto [first, last] = sets_.equal_range(hash);
    for (auto at = first; at != last; ++at) {
        if (auto known = at->second.lock(); known != nullptr && known->all() == set.all()) return known;
    }
    if (sets_.size() >= forget_at_) forget_expired();
    auto made = std::make_shared<const ParameterSet>(std::move(set));
    sets_.emplace(hash, made);
    return made;
}

ParameterSetRef ParameterTable::with(const ParameterSetRef& set, ByteView name, ByteView value, bool reported) {
    const Parameter* known = set->find(name);
    const bool is_same_text = known != nullptr && (known->encoding.empty() || known->encoding == set->encoding());
    if (is_same_text && known->value == value) return set;
    std::vector<Parameter> parameters = set->all();
    if (known != nullptr) {
        Parameter& changed = parameters[static_cast<std::size_t>(known - set->all().data())];
        changed.value = value;
        changed.encoding.clear();
    } else {
        parameters.push_back({std::string(name), std::string(value), reported});
    }
    return intern(std::move(parameters));
}

ParameterSetRef ParameterTable::with_that_of(const ParameterSet& other, const ParameterSetRef& set, ByteView name) {
    std::vector<Parameter> parameters = set->all();
    std::erase_if(parameters, [&](const Parameter& each) { return same_name(each.name, name); });
    if (const Parameter* of_other = other.find(name)) parameters.push_back(*of_other);
    return intern(std::move(parameters));
}

ParameterSetRef ParameterTable::merged(const ParameterSet& reported, const ParameterSet& unreported) {
    std::vector<Parameter> parameters = reported.reported();
    for (Parameter& each : parameters) each.overrides = false;
    for (const Parameter& each : unreported.all()) {
        if (!each.reported) parameters.push_back(each);
    }
    return intern(std::move(parameters));
}

void ParameterTable::forget_expired() {
    std::erase_if(sets_, [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = std::max<std::size_t>(64, sets_.size() * 2);
}

}  // namespace pgsluice::protocol
