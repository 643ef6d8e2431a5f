// SASLprep (RFC 4013) as PostgreSQL applies it to passwords (src/common/saslprep.c): where the text is not UTF-8, or
// holds what the profile prohibits, the raw bytes are the password.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::auth {

std::string saslprep(std::string_view password);

}  // namespace pgsluice::auth
