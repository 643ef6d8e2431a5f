/* What the checks of libpq share. A check that sees something else than it expects ends in fail(), and its connections
 * with it. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

enum { STATEMENTS = 30, ROWS = 5000 };

/* The check is over; the words are its verdict. */
_Noreturn void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

/* A connection by the environment and these words of a connection string; closed behind the check. */
PGconn* opened(const char* words);

/* Like opened(), for one that must be refused with these words. */
void refused(const char* words, const char* because);

/* Results live as long as their check. */
PGresult* kept(PGresult* result);
void expect_status(PGresult* result, ExecStatusType status);
void expect_sqlstate(PGresult* result, const char* sqlstate);
void expect_value(PGresult* result, const char* value);

PGresult* ask(PGconn* connection, const char* format, ...) __attribute__((format(printf, 2, 3)));
void run(PGconn* connection, const char* format, ...) __attribute__((format(printf, 2, 3)));
void run_fails(PGconn* connection, const char* sql, const char* sqlstate);

/* A table of this check's own. */
const char* table(void);

/* A server process that the prepared statement has run on. */
void met(const char* pid);

void check_connect(void);
void check_tls(void);
void check_prepared(void);
void check_batch(void);
void check_copy(void);
void check_notify(void);
void check_cancel(void);
void check_large_object(void);
void check_savepoint(void);
void check_cursor(void);
void check_error(void);
