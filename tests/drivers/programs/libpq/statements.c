/* Prepared statements and the pipeline mode. */
#include "check.h"

#include <stdio.h>
#include <string.h>

static void send_prepared(PGconn* connection, const char* name, int value) {
    char text[20];
    snprintf(text, sizeof text, "%d", value);
    const char* values[] = {text};
    if (!PQsendQueryPrepared(connection, name, 1, values, NULL, NULL, 0)) {
        fail("not sent: %s", PQerrorMessage(connection));
    }
}

static void send(PGconn* connection, const char* sql) {
    if (!PQsendQueryParams(connection, sql, 0, NULL, NULL, NULL, NULL, 0)) {
        fail("not sent: %s", PQerrorMessage(connection));
    }
}

/* In the pipeline mode each answer is a result and the NULL behind it. */
static PGresult* next_answer(PGconn* connection) {
    PGresult* result = kept(PQgetResult(connection));
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC && PQgetResult(connection) != NULL) {
        fail("two results for one statement");
    }
    return result;
}

void check_prepared(void) {
    PGconn* connection = opened("");
    expect_status(kept(PQprepare(connection, "twice", "select $1::int * 2, pg_backend_pid()", 0, NULL)),
                  PGRES_COMMAND_OK);
    for (int n = 0; n < STATEMENTS; ++n) {
        char given[20], expected[20];
        snprintf(given, sizeof given, "%d", n);
        snprintf(expected, sizeof expected, "%d", 2 * n);
        const char* values[] = {given};
        PGresult* result = kept(PQexecPrepared(connection, "twice", 1, values, NULL, NULL, 0));
        expect_value(result, expected);
        met(PQgetvalue(result, 0, 1));
    }
    PGresult* described = kept(PQdescribePrepared(connection, "twice"));
    expect_status(described, PGRES_COMMAND_OK);
    if (PQnparams(described) != 1 || PQparamtype(described, 0) != 23 || PQnfields(described) != 2) {
        fail("described with %d parameters and %d columns", PQnparams(described), PQnfields(described));
    }
    expect_sqlstate(kept(PQprepare(connection, "twice", "select 1", 0, NULL)), "42P05");
    expect_sqlstate(kept(PQdescribePrepared(connection, "unknown")), "26000");
}

static void transactions_in_one_flight(PGconn* connection) {
    enum { FLIGHT = 50 };
    if (!PQsendPrepare(connection, "thrice", "select $1::int * 3", 0, NULL)) {
        fail("not sent: %s", PQerrorMessage(connection));
    }
    for (int n = 0; n < FLIGHT; ++n) {
        send_prepared(connection, "thrice", n);
        PQpipelineSync(connection);
    }
    expect_status(next_answer(connection), PGRES_COMMAND_OK);
    for (int n = 0; n < FLIGHT; ++n) {
        char expected[20];
        snprintf(expected, sizeof expected, "%d", 3 * n);
        expect_value(next_answer(connection), expected);
        expect_status(next_answer(connection), PGRES_PIPELINE_SYNC);
    }
}

static void an_error_skips_to_its_sync(PGconn* connection) {
    char insert[200];
    snprintf(insert, sizeof insert, "insert into %s values (1)", table());
    send(connection, insert);
    send(connection, "select 1 / 0");
    send(connection, "select 'skipped'");
    PQpipelineSync(connection);
    send(connection, insert);
    PQpipelineSync(connection);
    expect_status(next_answer(connection), PGRES_COMMAND_OK);
    expect_sqlstate(next_answer(connection), "22012");
    expect_status(next_answer(connection), PGRES_PIPELINE_ABORTED);
    expect_status(next_answer(connection), PGRES_PIPELINE_SYNC);
    expect_status(next_answer(connection), PGRES_COMMAND_OK);
    expect_status(next_answer(connection), PGRES_PIPELINE_SYNC);
}

static void a_transaction_that_is_flushed_piece_by_piece(PGconn* connection) {
    send(connection, "begin");
    send_prepared(connection, "thrice", 7);
    PQsendFlushRequest(connection);
    PQflush(connection);
    expect_status(next_answer(connection), PGRES_COMMAND_OK);
    expect_value(next_answer(connection), "21");
    send(connection, "commit");
    PQpipelineSync(connection);
    expect_status(next_answer(connection), PGRES_COMMAND_OK);
    expect_status(next_answer(connection), PGRES_PIPELINE_SYNC);
}

void check_batch(void) {
    PGconn* connection = opened("");
    run(connection, "create table %s (n int)", table());
    PQenterPipelineMode(connection);
    transactions_in_one_flight(connection);
    an_error_skips_to_its_sync(connection);
    a_transaction_that_is_flushed_piece_by_piece(connection);
    if (!PQexitPipelineMode(connection)) {
        fail("the pipeline does not end: %s", PQerrorMessage(connection));
    }
    expect_value(ask(connection, "select count(*) from %s", table()), "1");
}
