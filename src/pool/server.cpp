#include <pgsluice/pool/server.hpp>

namespace pgsluice::pool {

void Server::forget_statements() {
    statements_.clear();
    unnamed_.reset();
    reserved_ = {};
}

}  // namespace pgsluice::pool
