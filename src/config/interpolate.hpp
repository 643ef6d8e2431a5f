// Fills ${env:NAME}, ${file:PATH}, ${credential:NAME} and $$ into the values of a document. A `$` before anything else
// is itself, so that SCRAM verifiers and "$1" need no escape. What is filled in is not looked at again.
#pragma once

#include "node.hpp"
#include "reader.hpp"

namespace pgsluice::config {

void interpolate(Node& node, Reader& reader);

}  // namespace pgsluice::config
