// The statements of the model servers, read from their text.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::sim {

struct Toy {
    enum class Kind {
        syntax_error,
        empty,
        rows,
        sleep,
        division,
        begin,
        commit,
        rollback,
        set,
        reset,
        show,
        configure,  // set_config
        savepoint,
        rollback_to,
        release,
        listen,
        unlisten,
        show_channels,
        lock,
        unlock,
        unlock_all,
        count_locks,
        declare_held,
        fetch_held,
        close_held,
        discard_all,
        deallocate_all,
        create_temporary,
        drop_temporary,
        read_temporary,
        prepare,
        execute_prepared,
        deallocate,
        declare,
        fetch,
        copy,
        restore,
        isolate,  // the next two: what pgsluice sends by itself
        inspect,
    };
    Kind kind = Kind::syntax_error;
    std::string tag, name, value;
    std::size_t rows = 1;
    bool local = false;

    bool is_good_in_a_failed_transaction() const {
        return kind == Kind::commit || kind == Kind::rollback || kind == Kind::rollback_to || kind == Kind::empty;
    }
    bool has_rows() const;
    std::string column() const { return kind == Kind::show ? name : "?column?"; }
};

Toy read_toy(const std::string& text);

}  // namespace pgsluice::sim
