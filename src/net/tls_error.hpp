// OpenSSL's errors as text.
#pragma once

#include <pgsluice/net/error.hpp>

#include <string>

namespace pgsluice::net {

// The oldest error in this thread's OpenSSL queue, which is its cause, as OpenSSL words it; empties the queue.
std::string take_openssl_error();

}  // namespace pgsluice::net
