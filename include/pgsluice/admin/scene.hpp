// All that tables are made of.
#pragma once

#include <pgsluice/admin/view.hpp>
#include <pgsluice/config/config.hpp>

#include <string>

namespace pgsluice::admin {

struct Scene {
    const View& view;
    const config::Config& config;
    std::string version;  // "0.1.0"
    bool is_draining = false;
};

}  // namespace pgsluice::admin
