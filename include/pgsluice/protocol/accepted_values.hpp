// Values that a server connection has accepted from a replay: where one is set again, the client's message is sent
// behind it without a wait. What the clients set there themselves does not count, since they may have other rights than
// a replay has.
//
// By a 64-bit digest. Two values of one digest would let a message go ahead of a setting that the server then refuses,
// and the client that wants that setting is the one to be told.
#pragma once

#include <pgsluice/protocol/settings_difference.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <vector>

namespace pgsluice::protocol {

class AcceptedValues {
  public:
    // When full it starts over, which costs one wait for each value and no more.
    static constexpr std::size_t limit = 1024;

    bool has(const Parameter& setting) const;
    // What the replay of `difference` sets. Forgotten by the next one.
    void propose(const SettingsDifference& difference);
    // That replay has succeeded.
    void accept_proposed();

  private:
    boost::unordered_flat_set<std::uint64_t> known_;
    std::vector<std::uint64_t> proposed_;
};

// Whether a statement could run with other rights or values, or find other objects, where the replay fails, or the
// server may turn out to be of no use to this client: nothing may be sent behind it before it has succeeded.
bool must_be_awaited(const SettingsDifference& difference, const AcceptedValues& accepted);
// Whether what a server has been used for decides whether it takes one of these values: another one may.
bool depend_on_server(const ParameterSet& wanted);

}  // namespace pgsluice::protocol
