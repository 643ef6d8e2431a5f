/* Logins, transactions and errors. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_connect(void) {
    PGconn* connection = opened("application_name=drivers");
    PGresult* who = ask(
        connection, "select current_user || ' ' || current_database() || ' ' || current_setting('application_name')");
    char expected[200];
    snprintf(expected, sizeof expected, "%s %s drivers", getenv("PGUSER"), getenv("PGDATABASE"));
    expect_value(who, expected);
    if (PQserverVersion(connection) / 10000 != 15) {
        fail("version %d", PQserverVersion(connection));
    }
    const char* name = PQparameterStatus(connection, "application_name");
    if (name == NULL || strcmp(name, "drivers") != 0) {
        fail("application_name was reported as %s", name != NULL ? name : "nothing");
    }
    refused("password=wrong", "password authentication failed");
}

void check_tls(void) {
    PGconn* connection = opened("host=localhost sslmode=verify-full");
    if (!PQsslInUse(connection)) {
        fail("the connection is plain");
    }
    PGresult* wide = ask(connection, "select repeat('x', 100000)");
    expect_status(wide, PGRES_TUPLES_OK);
    if (PQgetlength(wide, 0, 0) != 100000) {
        fail("%d bytes", PQgetlength(wide, 0, 0));
    }
    char foreign[1000];
    snprintf(foreign, sizeof foreign, "host=localhost sslmode=verify-full sslrootcert='%s'", getenv("FOREIGN_CA"));
    refused(foreign, "certificate verify failed");
}

static void expect_transaction(PGconn* connection, PGTransactionStatusType status) {
    if (PQtransactionStatus(connection) != status) {
        fail("transaction status %d instead of %d", PQtransactionStatus(connection), status);
    }
}

void check_savepoint(void) {
    PGconn* connection = opened("");
    run(connection, "create table %s (n int primary key)", table());
    run(connection, "begin");
    run(connection, "insert into %s values (1)", table());
    run(connection, "savepoint s");
    run(connection, "insert into %s values (2)", table());
    expect_sqlstate(ask(connection, "insert into %s values (1)", table()), "23505");
    expect_transaction(connection, PQTRANS_INERROR);
    run(connection, "rollback to s");
    expect_transaction(connection, PQTRANS_INTRANS);
    run(connection, "insert into %s values (3)", table());
    run(connection, "release s");
    run_fails(connection, "rollback to s", "3B001");
    run(connection, "commit");
    expect_value(ask(connection, "select count(*) from %s", table()), "0");
    run(connection, "begin");
    run(connection, "savepoint s");
    run_fails(connection, "select 1 / 0", "22012");
    run(connection, "rollback to s");
    run(connection, "insert into %s values (1)", table());
    run(connection, "commit and chain");
    expect_transaction(connection, PQTRANS_INTRANS);
    run(connection, "rollback");
    expect_value(ask(connection, "select string_agg(n::text, ',') from %s", table()), "1");
}

void check_error(void) {
    PGconn* connection = opened("");
    run(connection, "begin");
    run_fails(connection, "select 1 / 0", "22012");
    run_fails(connection, "select 1", "25P02");
    expect_transaction(connection, PQTRANS_INERROR);
    run(connection, "commit"); /* answered by ROLLBACK */
    expect_transaction(connection, PQTRANS_IDLE);
    PGresult* wrong = ask(connection, "select nothing from pg_class");
    expect_sqlstate(wrong, "42703");
    const char* position = PQresultErrorField(wrong, PG_DIAG_STATEMENT_POSITION);
    if (position == NULL || strcmp(position, "8") != 0) {
        fail("the error stands at %s", position != NULL ? position : "no place");
    }
    expect_value(ask(connection, "select 1; select 2"), "2");
    run_fails(connection, "select 1; select 1 / 0; select 3", "22012");
    expect_value(ask(connection, "select 1"), "1");
}
