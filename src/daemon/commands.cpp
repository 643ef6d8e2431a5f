#include "commands.hpp"

#include "audit_log.hpp"
#include "endpoint_note.hpp"
#include "load_configuration.hpp"
#include "log_backend.hpp"
#include "new_file.hpp"
#include "parser_stack.hpp"
#include "process.hpp"
#include "snapshot.hpp"
#include "supervisor.hpp"

#include <pgsluice/auth/scram_verifier.hpp>
#include <pgsluice/base/log.hpp>
#include <pgsluice/config/print.hpp>
#include <pgsluice/http/client.hpp>
#include <pgsluice/importer/pgbouncer.hpp>

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>
#include <thread>

namespace pgsluice::daemon {
namespace {

// The snapshot of a good configuration; otherwise every problem is on standard error, one a line.
std::shared_ptr<const Snapshot> load_or_complain(const std::string& path) {
    config::Loaded loaded = load_configuration(path);
    for (const auto& warning : loaded.warnings) std::cerr << "warning: " << warning.to_string() << '\n';
    for (const auto& problem : loaded.problems) std::cerr << problem.to_string() << '\n';
    if (!loaded) return nullptr;
    auto built = Snapshot::build(std::move(*loaded.config));
    if (const auto* problems = std::get_if<std::vector<std::string>>(&built)) {
        for (const std::string& problem : *problems) std::cerr << problem << '\n';
        return nullptr;
    }
    return std::get<std::shared_ptr<const Snapshot>>(std::move(built));
}

// Turns the terminal's echo off while a password is typed.
class QuietTerminal {
  public:
    QuietTerminal() {
        if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_terminal_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
    }
    ~QuietTerminal() {
        if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    bool is_terminal() const { return is_terminal_; }

  private:
    termios before_{};
    bool is_terminal_ = false;
};

// What the audit log has lost is told to the log at its end.
int run_with_log(std::shared_ptr<const Snapshot> snapshot, metrics::Registry& registry, LogBackend& log) {
    const config::Audit& wanted = snapshot->config.audit;
    AuditLog audit(registry.process().audit);
    if (const error_code error = audit.apply(wanted)) {
        log::error("start_failed", "could not open the audit log " + wanted.file + ": " + error.message());
        return exit_failed;
    }
    Supervisor supervisor(std::move(snapshot), registry, log, audit);
    if (const auto problem = supervisor.start()) {
        log::error("start_failed", *problem);
        return exit_failed;
    }
    supervisor.run();
    return exit_clean;
}

constexpr Milliseconds health_timeout{3000};

int tell(const http::Reply& reply) {
    std::cout << reply.body << (reply.body.ends_with('\n') ? "" : "\n");
    return reply.status == 200 ? exit_clean : exit_failed;
}

}  // namespace

int run_daemon(const std::string& path, const std::string& version) {
    auto snapshot = load_or_complain(path);
    if (snapshot == nullptr) return exit_bad_configuration;
    // Never freed: a log's thread that hangs in a write is left behind at the end, and counts what it loses.
    static metrics::Registry& registry = *new metrics::Registry({version, snapshot->config.metrics_max_series});
    auto log = LogBackend::open(snapshot->config.log, registry.process().log);
    if (!log) {
        std::cerr << "pgsluice: could not open the log file " << snapshot->config.log.file << ": "
                  << log.error().message() << '\n';
        return exit_failed;
    }
    log::install(log->get());
    const int code = run_with_log(std::move(snapshot), registry, **log);
    log::install(nullptr);
    return code;
}

int check_configuration(const std::string& path) {
    const auto snapshot = load_or_complain(path);
    if (snapshot == nullptr) return exit_bad_configuration;
    std::cout << config::print(snapshot->config);
    return exit_clean;
}

// Where the process says that it is, else where the files say. The files may be newer, and the note may be of a process
// that was killed.
int ask_health(const std::string& path, bool ready) {
    const std::string target = ready ? "/readyz" : "/healthz";
    if (const auto noted = noted_endpoint(path)) {
        if (const auto reply = http::get(*noted, target, health_timeout)) return tell(*reply);
    }
    const config::LoadedEndpoint loaded = config::load_endpoint(path);
    for (const auto& problem : loaded.problems) std::cerr << problem.to_string() << '\n';
    if (!loaded.admin_http) return exit_failed;
    const config::AdminHttp& admin = *loaded.admin_http;
    if (!admin.is_on()) {
        std::cerr << "pgsluice: admin.http is off, so there is nothing to ask\n";
        return exit_failed;
    }
    const http::Endpoint endpoint = endpoint_of(admin);
    const auto reply = http::get(endpoint, target, health_timeout);
    if (reply) return tell(*reply);
    const std::string asked =
        endpoint.unix_path.empty() ? endpoint.address + ':' + std::to_string(endpoint.port) : endpoint.unix_path;
    std::cerr << "pgsluice: " << asked << ": " << reply.error().message() << '\n';
    return exit_failed;
}

int hash_password(std::uint32_t iterations) {
    std::string password;
    {
        const QuietTerminal terminal;
        if (terminal.is_terminal()) std::cerr << "Password: " << std::flush;
        std::getline(std::cin, password);
        if (terminal.is_terminal()) std::cerr << '\n';
    }
    if (password.empty()) {
        std::cerr << "pgsluice: the password is empty\n";
        return exit_failed;
    }
    if (iterations > auth::scram_iterations_limit) {
        std::cerr << "pgsluice: warning: pgsluice computes no more than " << auth::scram_iterations_limit
                  << " iterations: this verifier is of no use under the method password, nor for logging in to a "
                     "server with the password itself\n";
    }
    std::cout << auth::hash_password(password, random_bytes(auth::scram_salt_bytes), iterations) << '\n';
    return exit_clean;
}

int explain_statement(const std::string& path, ExplainRequest request) {
    const auto snapshot = load_or_complain(path);
    if (snapshot == nullptr) return exit_bad_configuration;
    if (request.sql == "-") request.sql.assign(std::istreambuf_iterator<char>(std::cin), {});
    Explained explained;
    {
        const ParserStack stack;
        std::thread([&] { explained = explain(*snapshot, request); }).join();
    }
    if (!explained.knows_route) {
        std::cerr << "pgsluice: " << explained.text;
        return exit_bad_configuration;
    }
    std::cout << explained.text;
    return explained.blocks || !explained.has_route ? exit_failed : exit_clean;
}

int import_pgbouncer(const std::string& ini, const std::string& output) {
    using importer::Weight;
    const importer::Imported imported = importer::import_pgbouncer(ini);
    for (const auto& finding : imported.findings) std::cerr << finding.to_string() << '\n';
    const std::string text = importer::yaml(imported, ini);
    if (output.empty()) {
        std::cout << text;
    } else if (!write_new_file(output, text)) {
        std::cerr << "pgsluice: could not write " << output << ": " << std::strerror(errno) << '\n';
        return exit_failed;
    }
    // Such as a certificate that is not on this machine.
    const config::Loaded loaded = output.empty() ? config::Loaded() : load_configuration(output);
    for (const auto& problem : loaded.problems) std::cerr << problem.to_string() << '\n';
    if (imported.has(Weight::broken)) return exit_bad_configuration;
    const bool is_as_good = !imported.has(Weight::less_safe) && !imported.has(Weight::not_done);
    return is_as_good && loaded.problems.empty() ? exit_clean : exit_failed;
}

}  // namespace pgsluice::daemon
