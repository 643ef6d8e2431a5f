/* Data in pieces: COPY, large objects, cursors and rows one at a time. */
#include "check.h"

#include <libpq/libpq-fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_in(PGconn* connection) {
    expect_status(ask(connection, "copy %s from stdin", table()), PGRES_COPY_IN);
    for (int n = 0; n < ROWS; ++n) {
        char line[100];
        const int length = snprintf(line, sizeof line, "%d\trow %d\\twith a tab\n", n, n);
        if (PQputCopyData(connection, line, length) != 1) {
            fail("no data taken: %s", PQerrorMessage(connection));
        }
    }
    PQputCopyEnd(connection, NULL);
    PGresult* done = kept(PQgetResult(connection));
    expect_status(done, PGRES_COMMAND_OK);
    if (atoi(PQcmdTuples(done)) != ROWS || PQgetResult(connection) != NULL) {
        fail("%s rows were copied", PQcmdTuples(done));
    }
}

static void copy_out(PGconn* connection) {
    expect_status(ask(connection, "copy (select * from %s order by n) to stdout", table()), PGRES_COPY_OUT);
    int n = 0;
    char* line;
    while (PQgetCopyData(connection, &line, 0) > 0) {
        char expected[100];
        snprintf(expected, sizeof expected, "%d\trow %d\\twith a tab\n", n, n);
        if (strcmp(line, expected) != 0) {
            fail("row %d is %s", n, line);
        }
        PQfreemem(line);
        ++n;
    }
    expect_status(kept(PQgetResult(connection)), PGRES_COMMAND_OK);
    if (n != ROWS || PQgetResult(connection) != NULL) {
        fail("%d rows came", n);
    }
}

static void copy_in_vain(PGconn* connection, const char* data, const char* given_up, const char* sqlstate) {
    expect_status(ask(connection, "copy %s from stdin", table()), PGRES_COPY_IN);
    PQputCopyData(connection, data, (int)strlen(data));
    PQputCopyEnd(connection, given_up);
    expect_sqlstate(kept(PQgetResult(connection)), sqlstate);
    if (PQgetResult(connection) != NULL) {
        fail("more than one result of a COPY that failed");
    }
}

void check_copy(void) {
    PGconn* connection = opened("");
    run(connection, "create table %s (n int, t text)", table());
    copy_in(connection);
    copy_out(connection);
    copy_in_vain(connection, "none\tx\n", NULL, "22P02");
    copy_in_vain(connection, "1\tnever kept\n", "given up", "57014");
    expect_value(ask(connection, "select count(*) from %s", table()), "5000");
}

void check_large_object(void) {
    enum { SIZE = 200000, SKIPPED = 1000 };
    static char content[SIZE], seen[SIZE];
    for (int i = 0; i < SIZE; ++i) {
        content[i] = (char)(i * 7);
    }
    PGconn* connection = opened("");
    run(connection, "begin");
    const Oid object = lo_creat(connection, INV_READ | INV_WRITE);
    const int writing = lo_open(connection, object, INV_WRITE);
    if (object == InvalidOid || lo_write(connection, writing, content, SIZE) != SIZE ||
        lo_close(connection, writing) != 0) {
        fail("not written: %s", PQerrorMessage(connection));
    }
    run(connection, "commit");
    run(connection, "begin");
    const int reading = lo_open(connection, object, INV_READ);
    if (lo_lseek64(connection, reading, SKIPPED, SEEK_SET) != SKIPPED ||
        lo_read(connection, reading, seen, SIZE) != SIZE - SKIPPED ||
        memcmp(seen, content + SKIPPED, SIZE - SKIPPED) != 0) {
        fail("not read as written: %s", PQerrorMessage(connection));
    }
    run(connection, "commit");
    if (lo_unlink(connection, object) != 1 || lo_unlink(connection, object) != -1) {
        fail("not unlinked once: %s", PQerrorMessage(connection));
    }
    expect_value(ask(connection, "select 1"), "1");
}

static void rows_one_at_a_time(PGconn* connection) {
    PQsendQuery(connection, "select generate_series(1, 1000)");
    PQsetSingleRowMode(connection);
    int n = 0;
    PGresult* result;
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
            ++n;
        }
        PQclear(result);
    }
    if (n != 1000) {
        fail("%d rows came one at a time", n);
    }
}

void check_cursor(void) {
    PGconn* connection = opened("");
    run(connection, "begin");
    run(connection, "declare portions cursor for select generate_series(1, 1000)");
    for (int start = 1; start <= 1000; start += 100) {
        PGresult* portion = ask(connection, "fetch 100 from portions");
        expect_status(portion, PGRES_TUPLES_OK);
        if (PQntuples(portion) != 100 || atoi(PQgetvalue(portion, 0, 0)) != start) {
            fail("%d rows from %s on", PQntuples(portion), PQgetvalue(portion, 0, 0));
        }
    }
    run(connection, "commit");
    run_fails(connection, "fetch 1 from portions", "34000");
    run(connection, "declare held scroll cursor with hold for select generate_series(1, 1000)");
    expect_value(ask(connection, "fetch absolute 501 from held"), "501");
    expect_value(ask(connection, "fetch prior from held"), "500");
    run(connection, "close held");
    rows_one_at_a_time(connection);
}
