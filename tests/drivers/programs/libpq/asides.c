/* What comes beside the answers: notifications, and cancels of what runs. */
#include "check.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void expect_notification(PGconn* listener, const char* payload) {
    enum { PATIENCE = 10000 };
    PGnotify* heard;
    while ((heard = PQnotifies(listener)) == NULL) {
        struct pollfd readable = {.fd = PQsocket(listener), .events = POLLIN};
        if (poll(&readable, 1, PATIENCE) != 1 || !PQconsumeInput(listener)) {
            fail("no notification \"%s\": %s", payload, PQerrorMessage(listener));
        }
    }
    const bool same = strcmp(heard->relname, "news") == 0 && strcmp(heard->extra, payload) == 0;
    PQfreemem(heard);
    if (!same) {
        fail("another notification than \"%s\"", payload);
    }
}

void check_notify(void) {
    PGconn* listener = opened("");
    PGconn* notifier = opened("");
    run(listener, "listen news");
    run(notifier, "begin");
    run(notifier, "notify news, 'undone'");
    run(notifier, "rollback");
    run(notifier, "notify news, 'hello'");
    expect_notification(listener, "hello");
    run(listener, "notify news, 'to myself'");
    expect_notification(listener, "to myself");
    run(listener, "unlisten news");
    run(notifier, "notify news, 'to nobody'");
    expect_value(ask(listener, "select 1"), "1");
    if (PQnotifies(listener) != NULL) {
        fail("a notification behind UNLISTEN");
    }
}

/* Returns when the other side has closed the request's connection: PostgreSQL has sent the signal by then. */
static void cancel(PGconn* connection) {
    char trouble[256];
    PGcancel* cancel = PQgetCancel(connection);
    const bool asked = PQcancel(cancel, trouble, sizeof trouble);
    PQfreeCancel(cancel);
    if (!asked) {
        fail("no cancel: %s", trouble);
    }
}

static PGresult* only_result(PGconn* connection) {
    PGresult* result = kept(PQgetResult(connection));
    if (PQgetResult(connection) != NULL) {
        fail("more than one result of one query");
    }
    return result;
}

static void pause_for(long milliseconds) {
    const struct timespec moment = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&moment, NULL);
}

static void what_runs_is_cancelled(PGconn* connection) {
    PQsendQuery(connection, "select pg_sleep(15)");
    pause_for(500);
    cancel(connection);
    expect_sqlstate(only_result(connection), "57014");
    expect_value(ask(connection, "select 1"), "1");
}

static void expect_spared(PGconn* connection) {
    PGresult* next = ask(connection, "select pg_sleep(0.005)");
    if (PQresultStatus(next) != PGRES_TUPLES_OK) {
        fail("the statement behind the one that PQcancel was called for: %s", PQresultErrorMessage(next));
    }
}

/* PostgreSQL sends the signal twice, to the process and to its group. Both have come when PQcancel returns. */
static void a_cancel_strikes_once(PGconn* connection) {
    for (int i = 0; i < 50; ++i) {
        PQsendQuery(connection, "select pg_sleep(0.3)");
        pause_for(10);
        cancel(connection);
        only_result(connection);
        expect_spared(connection);
    }
}

/* A query that ends about when it is cancelled may win. The one behind it was never meant, on the same server neither.
 */
static void a_cancel_that_is_late_strikes_nothing(PGconn* connection) {
    for (int i = 0; i < 200; ++i) {
        char query[50];
        snprintf(query, sizeof query, "select pg_sleep(%d / 5000.0)", i % 10);
        run(connection, "begin");
        PQsendQuery(connection, query);
        cancel(connection);
        if (PQresultStatus(only_result(connection)) == PGRES_TUPLES_OK) {
            expect_spared(connection);
        }
        run(connection, "rollback");
    }
}

void check_cancel(void) {
    PGconn* connection = opened("");
    what_runs_is_cancelled(connection);
    a_cancel_strikes_once(connection);
    a_cancel_that_is_late_strikes_nothing(connection);
}
