#include "audit_log.hpp"

#include "log_format.hpp"

#include <exception>
#include <string>
#include <utility>

namespace pgsluice::daemon {
namespace {

// limits.parse_inline goes up to this: a statement that was parsed stands there whole, but where numbers of constants
// are longer than these were.
constexpr LogStyle style{.format = config::LogFormat::json, .value_bytes = std::size_t{64} << 10};
constexpr Milliseconds look_again_after{2};

std::string dropped_line(std::uint64_t count) {
    return format_line(style, std::chrono::system_clock::now(),
                       {log::Level::error,
                        "audit_dropped",
                        "lines of the audit log are missing here",
                        {{"count", static_cast<std::int64_t>(count)}}});
}

}  // namespace

AuditLog::AuditLog(metrics::AuditMetrics& metrics, LogWriter::Setup setup) : setup_(setup), metrics_(metrics) {}

AuditLog::~AuditLog() {
    log::install_audit(nullptr);
    writer_.reset();
    report_lost(never);
}

error_code AuditLog::apply(const config::Audit& audit) {
    if (audit.file.empty()) {
        log::install_audit(nullptr);
        set_blocks(false);  // whoever waits goes on
        return {};
    }
    auto descriptor = LogDescriptor::open(audit.file);
    if (!descriptor) return descriptor.error();
    if (writer_ == nullptr) {
        auto sink = std::make_shared<LogSink>(std::move(*descriptor), metrics_.dropped, dropped_line);
        writer_ = std::make_unique<LogWriter>(std::move(sink), setup_);
    } else {
        writer_->replace(std::move(*descriptor));
    }
    set_blocks(audit.on_overflow == config::AuditOverflow::block);
    log::install_audit(this);
    return {};
}

void AuditLog::set_blocks(bool on) {
    blocks_ = on;
    if (writer_ != nullptr) writer_->sink().keep_trying(on);
}

void AuditLog::stop_waiting_at(TimePoint when) {
    stop_waiting_at_ = when.time_since_epoch().count();
}

void AuditLog::report_lost(TimePoint now) {
    const std::uint64_t lost = metrics_.dropped.value();
    if (lost == reported_ || now < next_report_) return;
    log::error("audit_dropped", "the audit log did not take lines in time",
               {{"count", static_cast<std::int64_t>(lost - reported_)}});
    reported_ = lost;
    next_report_ = now == never ? never : now + std::chrono::seconds(1);
}

void AuditLog::write(const log::Record& record) {
    try {
        if (!writer_->has_room() && !may_wait()) return writer_->sink().lose_line();
        const std::string line = format_line(style, std::chrono::system_clock::now(), record);
        if (!writer_->add(line) && !add_when_there_is_room(line)) writer_->sink().lose_line();
    } catch (const std::exception&) {
        writer_->sink().lose_line();
    }
}

bool AuditLog::may_wait() const {
    return blocks_ && std::this_thread::get_id() != maker_ &&
           std::chrono::steady_clock::now().time_since_epoch().count() < stop_waiting_at_;
}

bool AuditLog::add_when_there_is_room(std::string_view line) {
    if (!may_wait()) return false;
    metrics_.waits.add();
    do {
        std::this_thread::sleep_for(look_again_after);
        if (writer_->add(line)) return true;
    } while (may_wait());
    return false;
}

}  // namespace pgsluice::daemon
