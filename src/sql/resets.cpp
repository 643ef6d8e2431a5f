#include <pgsluice/sql/resets.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::sql {
namespace {

constexpr std::size_t most_names = 1024;

bool holds(const std::vector<std::string>& names, ByteView name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void move_to(std::vector<std::string>& to, std::vector<std::string>& from, std::string name) {
    std::erase(from, name);
    if (!holds(to, name)) to.push_back(std::move(name));
}

}  // namespace

void Resets::note_set(std::string name) {
    move_to(set_, reset_, std::move(name));
    // What the server has counts then.
    if (set_.size() > most_names) *this = {};
}

void Resets::note_reset(std::string name) {
    if (reset_.size() < most_names || holds(set_, name)) move_to(reset_, set_, std::move(name));
}

void Resets::note_all() {
    const auto is_custom = [](const std::string& name) { return name.find('.') != std::string::npos; };
    std::erase_if(set_, is_custom);
    std::erase_if(reset_, is_custom);
    all_ = true;
}

void Resets::append(const Resets& later) {
    if (later.all_) note_all();
    for (const std::string& name : later.reset_) note_reset(name);
    for (const std::string& name : later.set_) note_set(name);
}

bool Resets::has(ByteView name) const {
    const bool is_in_all = all_ && name.find('.') != ByteView::npos;
    return holds(reset_, name) || (is_in_all && !holds(set_, name));
}

}  // namespace pgsluice::sql
