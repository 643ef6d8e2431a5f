// What a server has of another client's settings, or lacks of this one's: found in one walk along both sets at a
// check-out, and all that the replay looks at.
#pragma once

#include <pgsluice/protocol/parameter_set.hpp>

#include <boost/container/small_vector.hpp>

namespace pgsluice::protocol {

// One setting; either is nullptr where the set does not have it, never both.
struct SettingDifference {
    const Parameter* present;
    const Parameter* wanted;

    ByteView name() const { return present != nullptr ? present->name : wanted->name; }
    // Before anything else is set: what is present is not wanted, or would hinder the transaction that sets the others.
    bool must_be_reset() const;
};

class SettingsDifference {
  public:
    // A check-out that finds more allocates.
    using Differences = boost::container::small_vector<SettingDifference, 8>;

    // Points into both sets.
    SettingsDifference(const ParameterSet& has, const ParameterSet& wants);

    bool empty() const { return all_.empty(); }
    // By name. Where anything differs, rights and what would hinder the replay are among them though they stay: they
    // come off for its time.
    const Differences& all() const { return all_; }
    const ParameterSet& has() const { return *has_; }
    const ParameterSet& wants() const { return *wants_; }

  private:
    // Whether they differ.
    bool compare(const Parameter& present, const Parameter& wanted);

    const ParameterSet* has_;
    const ParameterSet* wants_;
    Differences all_;
};

// role and session_authorization.
bool is_rights(ByteView name);
// Settings that the transaction of a replay itself would begin with. A snapshot of a deferrable one may be waited for
// without end, and a standby has none for a serializable one; a RESET takes no snapshot.
bool begins_transactions(ByteView name);

}  // namespace pgsluice::protocol
