#include <pgsluice/pool/role.hpp>

namespace pgsluice::pool {

bool Role::note(ByteView setting, ByteView value) {
    const bool is_on = value == "on" || value == "t";
    if (setting == standby_setting)
        in_hot_standby = is_on;
    else if (setting == read_only_setting)
        read_only = is_on;
    else
        return false;
    return true;
}

bool Role::is_other_than(config::TargetSessionAttrs wanted) const {
    using config::TargetSessionAttrs;
    switch (wanted) {
        case TargetSessionAttrs::any: return false;
        case TargetSessionAttrs::read_write: return in_hot_standby == true || read_only == true;
        case TargetSessionAttrs::read_only: return in_hot_standby == false && read_only == false;
        case TargetSessionAttrs::primary: return in_hot_standby == true;
        case TargetSessionAttrs::standby:
        case TargetSessionAttrs::prefer_standby: return in_hot_standby == false;
    }
    return false;
}

}  // namespace pgsluice::pool
