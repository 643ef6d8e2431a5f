// Settings that follow a client from server to server, as immutable sets that equal clients share. What a client wants
// and what a server has are compared by address first: in steady state both point to the same set, and a check-out
// costs one comparison.
#pragma once

#include <pgsluice/base/ascii.hpp>
#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgsluice::protocol {

// Of names and values: what a server may report at its login, and in all. Clients copy it whenever one changes.
constexpr std::size_t most_reported_at_login = std::size_t{64} << 10;
constexpr std::size_t most_reported = std::size_t{128} << 10;

struct Parameter {
    std::string name;  // as the server spells it where it reports it, else in lower case
    std::string value;
    bool reported = false;  // the server sends ParameterStatus for it
    // Set by a statement in place of what the client asked for at its login. It is set on each server, on one too that
    // has the same value by itself: else a RESET could not be told from a value that nobody has touched.
    bool overrides = false;
    // The client_encoding that name and value are in; empty where both are ASCII, which is the same in each.
    std::string encoding{};
    friend bool operator==(const Parameter&, const Parameter&) = default;
};

class ParameterSet {
  public:
    ParameterSet() = default;
    // `parameters` in any order, no name twice. What is not ASCII and comes without its encoding is in that of the set.
    explicit ParameterSet(std::vector<Parameter> parameters);

    // nullptr where it is not in the set. Names are compared without regard to case, as PostgreSQL does.
    const Parameter* find(ByteView name) const;
    const std::vector<Parameter>& all() const { return parameters_; }
    // The value of client_encoding; empty where it is not in the set.
    ByteView encoding() const { return encoding_ == no_encoding ? ByteView() : ByteView(parameters_[encoding_].value); }
    std::vector<Parameter> reported() const;
    // Of their names and values.
    std::size_t reported_bytes() const { return reported_bytes_; }
    // Settings of extensions and applications: their names have a dot.
    bool has_custom() const { return has_custom_; }
    // A server that has them ends its connection where nobody uses it for some time.
    bool ends_idle_sessions() const { return ends_idle_sessions_; }
    // Whether each custom setting of `other` is one of this set too, whatever its value.
    bool names_custom_of(const ParameterSet& other) const;

  private:
    static constexpr auto no_encoding = static_cast<std::size_t>(-1);

    std::vector<Parameter> parameters_;   // by name
    std::size_t encoding_ = no_encoding;  // index of client_encoding
    std::size_t reported_bytes_ = 0;
    bool has_custom_ = false;
    bool ends_idle_sessions_ = false;
};

// A set in the making, in the order of arrival: it may be long, and a name is found in it without a look at each.
class ParameterList {
  public:
    ParameterList() = default;
    // No name twice.
    explicit ParameterList(std::vector<Parameter> parameters);

    // nullptr: it has none of that name. Valid until the next one is added.
    Parameter* find(ByteView name);
    const Parameter* find(ByteView name) const;
    // `parameter`: of a name that it does not have.
    Parameter& add(Parameter parameter);
    const std::vector<Parameter>& all() const { return parameters_; }
    std::vector<Parameter> take() && { return std::move(parameters_); }

  private:
    std::vector<std::uint32_t>::const_iterator place_of(ByteView name) const;

    std::vector<Parameter> parameters_;
    std::vector<std::uint32_t> by_name_;  // indices of parameters_
};

using ParameterSetRef = std::shared_ptr<const ParameterSet>;

// Reported parameters that describe the server or the login and cannot be set: they are never carried.
bool is_carried(ByteView reported_name);
// Without regard to case: negative where `a` comes first, zero where they are one name. Sets are in this order.
int compare_names(ByteView a, ByteView b);
bool same_name(ByteView a, ByteView b);
// Whether every role may set it and take it back, whoever has set it. False where that is not known: of a setting that
// is not PostgreSQL's own, or of a later version.
bool is_anybodys(ByteView name);
using pgsluice::is_ascii;
// The same bytes in two encodings are two values.
bool same_value(const Parameter& a, const Parameter& b);
constexpr ByteView client_encoding = "client_encoding";
constexpr ByteView idle_session_timeout = "idle_session_timeout";
constexpr bool is_custom(ByteView name) {
    return name.find('.') != ByteView::npos;
}

// The sets of one worker; used when a setting changes, never per message. Not locked. A set may outlive the table, and
// two workers may hold equal sets: comparing those costs a look at the contents, once.
class ParameterTable {
  public:
    ParameterSetRef intern(std::vector<Parameter> parameters);
    // The set with one parameter changed or added; the same set where nothing changes.
    ParameterSetRef with(const ParameterSetRef& set, ByteView name, ByteView value, bool reported);
    // The set with that parameter as it is in `other`, or without it.
    ParameterSetRef with_that_of(const ParameterSet& other, const ParameterSetRef& set, ByteView name);
    // What one set has of the reported parameters, and the other of those that are not, as behind a DISCARD ALL.
    ParameterSetRef merged(const ParameterSet& reported, const ParameterSet& unreported);

  private:
    void forget_expired();

    std::unordered_multimap<std::size_t, std::weak_ptr<const ParameterSet>> sets_;
    std::size_t forget_at_ = 64;
};

}  // namespace pgsluice::protocol
