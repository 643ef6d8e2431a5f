// A new value on its way to its key: through sections, lists and maps of names, down to the codec that reads it.
#pragma once

#include "node.hpp"
#include "reader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgsluice::config {

class Change {
  public:
    enum class Outcome : std::uint8_t { no_such_key, restart_only, files_only, read };

    Change(Reader& reader_, std::string_view path, Node value_)
        : reader(reader_), value(std::move(value_)), rest_(path) {}

    Reader& reader;
    const Node value;
    Outcome outcome = Outcome::no_such_key;
    bool is_settable = false;  // a key on the way said so

    bool is_at_end() const { return rest_.empty(); }
    // ".key", "key" at the very beginning; nullopt: something else comes next.
    std::optional<std::string_view> next_key();
    // "[3]".
    std::optional<std::size_t> next_index();
    // ".NAME." comes next. Names may hold dots themselves, so that several may fit.
    bool is_next(std::string_view name) const;
    void take_name(std::string_view name) { rest_.remove_prefix(1 + name.size()); }

  private:
    std::string_view rest_;
    bool at_top_ = true;
};

}  // namespace pgsluice::config
