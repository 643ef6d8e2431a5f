// What a server is to its cluster, and what target_session_attrs asks for.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/config/config.hpp>

#include <optional>

namespace pgsluice::pool {

// As far as it has told; PostgreSQL reports both settings since version 14.
struct Role {
    std::optional<bool> in_hot_standby, read_only;  // the latter: default_transaction_read_only

    // Takes "on" and "off" of either setting, and whatever stands for them in a row of booleans. False: another
    // setting.
    bool note(ByteView setting, ByteView value);
    // What is not known decides nothing.
    bool is_other_than(config::TargetSessionAttrs wanted) const;
};

constexpr ByteView standby_setting = "in_hot_standby";
constexpr ByteView read_only_setting = "default_transaction_read_only";

}  // namespace pgsluice::pool
