/* Questions and what their answers must be. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void expect_status(PGresult* result, ExecStatusType status) {
    if (PQresultStatus(result) != status) {
        fail("%s instead of %s: %s", PQresStatus(PQresultStatus(result)), PQresStatus(status),
             PQresultErrorMessage(result));
    }
}

void expect_sqlstate(PGresult* result, const char* sqlstate) {
    expect_status(result, PGRES_FATAL_ERROR);
    const char* seen = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (seen == NULL || strcmp(seen, sqlstate) != 0) {
        fail("SQLSTATE %s instead of %s: %s", seen != NULL ? seen : "none", sqlstate, PQresultErrorMessage(result));
    }
}

void expect_value(PGresult* result, const char* value) {
    expect_status(result, PGRES_TUPLES_OK);
    if (PQntuples(result) != 1 || strcmp(PQgetvalue(result, 0, 0), value) != 0) {
        fail("%d rows, the first \"%s\", instead of \"%s\"", PQntuples(result), PQgetvalue(result, 0, 0), value);
    }
}

static PGresult* asked(PGconn* connection, const char* format, va_list values) {
    char sql[1000];
    vsnprintf(sql, sizeof sql, format, values);
    return kept(PQexec(connection, sql));
}

PGresult* ask(PGconn* connection, const char* format, ...) {
    va_list values;
    va_start(values, format);
    PGresult* result = asked(connection, format, values);
    va_end(values);
    return result;
}

void run(PGconn* connection, const char* format, ...) {
    va_list values;
    va_start(values, format);
    PGresult* result = asked(connection, format, values);
    va_end(values);
    expect_status(result, PGRES_COMMAND_OK);
}

void run_fails(PGconn* connection, const char* sql, const char* sqlstate) {
    expect_sqlstate(ask(connection, "%s", sql), sqlstate);
}
