// The command line: runs the daemon, checks a configuration, and the small verbs.
#include "commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>
#include <utility>

int main(int argc, char** argv) {
    using namespace pgsluice::daemon;

    CLI::App app{"pgsluice: a proxy between services and PostgreSQL that speaks PostgreSQL's own protocol."};
    app.footer(
        "Signals: HUP reloads, TERM and INT drain and stop, a second one or QUIT stops at once.\n"
        "Exit codes: 0 clean, 1 failed at run time, 2 bad configuration or command line.");
    app.set_version_flag("--version", "pgsluice " PGSLUICE_VERSION);
    std::string path = "/etc/pgsluice/pgsluice.yaml";
    bool check = false;
    app.add_option("-c,--config", path, "Configuration file")->capture_default_str();
    app.add_flag("--check", check, "Read the configuration, print what it means, and exit");

    auto* health =
        app.add_subcommand("health", "Ask the running daemon whether its workers turn; exit code 0 if they do");
    health->fallthrough();
    bool ask_ready = false;
    health->add_flag("--ready", ask_ready, "Ask whether it takes clients (readyz) instead");
    auto* hash = app.add_subcommand("hash-password", "Read a password and print its SCRAM-SHA-256 verifier");
    std::uint32_t iterations = 4096;
    hash->add_option("--iterations", iterations, "PBKDF2 iterations")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000000));
    auto* import = app.add_subcommand("import-pgbouncer", "Write the configuration that does what a PgBouncer does");
    import->footer(
        "Standard error says what is not quite the same, and the comment at the head of the YAML repeats it.\n"
        "Exit codes: 0 done; 1 something is less safe or could not be carried over; 2 the files are broken.");
    std::string ini, output;
    import->add_option("pgbouncer.ini", ini, "PgBouncer's configuration file")->required();
    import->add_option("-o,--output", output, "New file for the YAML, readable by you alone; default: standard output");
    auto* explain = app.add_subcommand("explain", "Say what a statement does, which policy decides about it, and why");
    explain->fallthrough();
    explain->footer(
        "Exit codes: 0 it passes; 1 a policy blocks it, or no route takes the client; 2 bad configuration.");
    ExplainRequest asked;
    std::string from, search_path;
    explain->add_option("sql", asked.sql, "The text of the statement; -: read it from standard input")->required();
    explain->add_option("-u,--user", asked.user, "User of the client")->required();
    explain->add_option("-d,--database", asked.database, "Database of the client")->required();
    explain->add_option("--application", asked.application, "application_name of the client");
    explain->add_option("--route", asked.route, "Route; default: the one that the client takes");
    explain->add_option("--from", from, "Address of the client; default: a Unix socket");
    explain->add_option("--search-path", search_path, "search_path of the session; default: not known");
    explain->add_flag("--in-transaction", asked.in_transaction, "A transaction is open");
    app.require_subcommand(0, 1);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_clean : exit_bad_configuration;
    }
    if (hash->parsed()) return hash_password(iterations);
    if (import->parsed()) return import_pgbouncer(ini, output);
    if (explain->parsed()) {
        if (!from.empty()) {
            const auto address = pgsluice::Address::parse(from);
            if (!address) {
                std::cerr << "pgsluice: --from " << from << " is not an address\n";
                return exit_bad_configuration;
            }
            asked.address = *address;
        }
        if (explain->count("--search-path") > 0) asked.search_path = search_path;
        return explain_statement(path, std::move(asked));
    }
    if (health->parsed()) return ask_health(path, ask_ready);
    if (check) return check_configuration(path);
    return run_daemon(path, PGSLUICE_VERSION);
}
