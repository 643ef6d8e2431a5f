// The logging front: an event name that stays stable, a sentence for people, fields for machines. The daemon installs
// the backend; without one, records go nowhere. Pure layers do not log: they return facts and their callers log.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace pgsluice::log {

enum class Level : std::uint8_t { debug, info, warning, error };

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;
};

struct Record {
    Level level;
    std::string_view event;  // snake_case, listed in docs/operations.md
    std::string_view message;
    std::initializer_list<Field> fields;
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual bool enabled(Level level) const = 0;
    // Called from any thread; never throws. The audit log may block where its configuration says so, others never do.
    virtual void write(const Record& record) = 0;
};

// `backend` must outlive every thread that logs; nullptr uninstalls.
void install(Backend* backend);

bool enabled(Level level);
void write(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::debug, event, message, fields);
}
inline void info(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::info, event, message, fields);
}
inline void warning(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, message, fields);
}
inline void error(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, message, fields);
}

// --- The audit log: who did what. Levels, rate limits and samples of the log are none of its own.

// As install(); one log at a time.
void install_audit(Backend* backend);

bool is_audited();
// Nothing where there is no audit log.
void audit(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields = {});
// To the log and to the audit log.
void write_audited(Level level, std::string_view event, std::string_view message,
                   std::initializer_list<Field> fields = {});

}  // namespace pgsluice::log
