#include "words.hpp"

#include <pgsluice/sql/named_rows.hpp>

namespace pgsluice::sql {

bool finds_rows_by_name(ByteView text) {
    skip_blanks(text);
    return take_word(text, "fetch") || take_word(text, "execute");
}

}  // namespace pgsluice::sql
