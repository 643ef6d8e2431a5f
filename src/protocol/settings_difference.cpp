#include <pgsluice/protocol/settings_difference.hpp>

namespace pgsluice::protocol {
namespace {

bool is_deferrable(const Parameter& present) {
    return same_name(present.name, "default_transaction_deferrable") && present.value != "off";
}

// It comes off for the time of a replay, also where it stays.
bool hinders_replay(const Parameter& present) {
    return is_rights(present.name) || is_deferrable(present);
}

// A name of the same bytes in another encoding is another one.
bool are_one_setting(const Parameter& present, const Parameter& wanted) {
    return present.encoding == wanted.encoding || is_ascii(present.name);
}

}  // namespace

bool is_rights(ByteView name) {
    return same_name(name, "role") || same_name(name, "session_authorization");
}

bool begins_transactions(ByteView name) {
    return same_name(name, "default_transaction_deferrable") || same_name(name, "default_transaction_isolation") ||
           same_name(name, "default_transaction_read_only");
}

bool SettingDifference::must_be_reset() const {
    if (present == nullptr) return false;
    if (wanted == nullptr || is_deferrable(*present)) return true;
    return begins_transactions(present->name) && present->value != wanted->value;
}

SettingsDifference::SettingsDifference(const ParameterSet& has, const ParameterSet& wants)
    : has_(&has), wants_(&wants) {
    auto present = has.all().begin(), wanted = wants.all().begin();
    bool differs = false;
    const auto end_present = has.all().end(), end_wanted = wants.all().end();
    while (present != end_present || wanted != end_wanted) {
        // As nearly all of them are.
        if (present != end_present && wanted != end_wanted && *present == *wanted) {
            if (hinders_replay(*present)) all_.push_back({&*present, &*wanted});
            ++present;
            ++wanted;
            continue;
        }
        const int order = present == end_present ? 1
                          : wanted == end_wanted ? -1
                                                 : compare_names(present->name, wanted->name);
        if (order == 0) {
            differs |= compare(*present++, *wanted++);
            continue;
        }
        all_.push_back(order < 0 ? SettingDifference{&*present++, nullptr} : SettingDifference{nullptr, &*wanted++});
        differs = true;
    }
    if (!differs) all_.clear();
}

bool SettingsDifference::compare(const Parameter& present, const Parameter& wanted) {
    if (!are_one_setting(present, wanted)) {
        all_.insert(all_.end(), {{&present, nullptr}, {nullptr, &wanted}});
        return true;
    }
    const bool differs = !same_value(present, wanted) || (wanted.overrides && !present.overrides);
    if (differs || hinders_replay(present)) all_.push_back({&present, &wanted});
    return differs;
}

}  // namespace pgsluice::protocol
