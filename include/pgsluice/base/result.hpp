// Result<T>: a value or an error_code, for functions where bad input is normal. Never use value() outside tests: it
// throws.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace pgsluice {

using boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

}  // namespace pgsluice
