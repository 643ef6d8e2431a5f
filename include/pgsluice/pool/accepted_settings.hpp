// Startup settings that servers of a pool have accepted before, with the value that the server then reported. Bounded:
// when full it starts over, which costs one wait per setting and no more. Not locked: see login_answers.hpp.
#pragma once

#include <pgsluice/wire/startup_options.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <string>

namespace pgsluice::pool {

class AcceptedSettings {
  public:
    static constexpr std::size_t limit = 256;

    struct Result {
        std::string value;  // as the server spells it
        bool reported;
    };

    const Result* find(const wire::Setting& setting) const {
        const auto found = known_.find(setting);
        return found == known_.end() ? nullptr : &found->second;
    }
    void add(const wire::Setting& setting, Result result) {
        if (known_.size() >= limit) known_.clear();
        known_.insert_or_assign(setting, std::move(result));
    }
    void clear() { known_.clear(); }

  private:
    boost::unordered_flat_map<wire::Setting, Result, boost::hash<wire::Setting>> known_;
};

}  // namespace pgsluice::pool
