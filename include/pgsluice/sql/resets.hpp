// Which settings a client's texts have put back to their reset value last, and not to a value of their own. Of custom
// settings and of role PostgreSQL does not tell the one from the other.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <string>
#include <vector>

namespace pgsluice::sql {

// Names are in lower case: those of custom settings, and role.
class Resets {
  public:
    void note_set(std::string name);
    void note_reset(std::string name);
    // RESET ALL: of all custom settings. It leaves role alone.
    void note_all();
    void append(const Resets& later);
    bool has(ByteView name) const;

  private:
    std::vector<std::string> set_, reset_;  // those of set_ since all_
    bool all_ = false;
};

}  // namespace pgsluice::sql
