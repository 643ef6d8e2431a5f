// The test that comes before the parser.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::sql {

// False: no statement of the text has an effect on its session. Reads the bytes once, without regard to case, quotes
// and comments, and takes too many for candidates rather than one too few.
bool is_candidate(ByteView text);

}  // namespace pgsluice::sql
