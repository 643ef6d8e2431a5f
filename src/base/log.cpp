#include <pgsluice/base/log.hpp>

#include <atomic>

namespace pgsluice::log {
namespace {

std::atomic<Backend*> installed{nullptr};
std::atomic<Backend*> installed_audit{nullptr};

}  // namespace

void install(Backend* backend) {
    installed.store(backend, std::memory_order_release);
}

bool enabled(Level level) {
    const Backend* backend = installed.load(std::memory_order_acquire);
    return backend != nullptr && backend->enabled(level);
}

void write(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields) {
    Backend* backend = installed.load(std::memory_order_acquire);
    if (backend == nullptr || !backend->enabled(level)) return;
    backend->write(Record{level, event, message, fields});
}

void install_audit(Backend* backend) {
    installed_audit.store(backend, std::memory_order_release);
}

bool is_audited() {
    return installed_audit.load(std::memory_order_relaxed) != nullptr;
}

void audit(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields) {
    Backend* backend = installed_audit.load(std::memory_order_acquire);
    if (backend != nullptr) backend->write(Record{level, event, message, fields});
}

void write_audited(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields) {
    write(level, event, message, fields);
    audit(level, event, message, fields);
}

}  // namespace pgsluice::log
