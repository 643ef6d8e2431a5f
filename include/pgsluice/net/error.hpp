// What went wrong in the network, in words fit for a log line: the text names the address, file or peer that it is
// about.
#pragma once

#include <pgsluice/base/result.hpp>

#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <string>

namespace pgsluice::net {

struct Error {
    error_code code;   // empty where no system or OpenSSL error stands behind the text
    std::string text;  // not escaped: what a peer sent may be part of it
};

// A value, or an Error with its text. For set-up work; the relay path deals in error codes.
template <class T>
using Outcome = boost::system::result<T, Error>;

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw boost::system::system_error(error_code(error.code, &where), error.text);
}

}  // namespace pgsluice::net
