/* libpq: runs the checks that are named and says of each in one line of JSON what came of it. */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char* name;
    void (*run)(void);
} checks[] = {
    {"connect", check_connect},
    {"tls", check_tls},
    {"prepared", check_prepared},
    {"batch", check_batch},
    {"copy", check_copy},
    {"notify", check_notify},
    {"cancel", check_cancel},
    {"savepoint", check_savepoint},
    {"large_object", check_large_object},
    {"cursor", check_cursor},
    {"error", check_error},
};

enum { MOST = 1000 };

static struct {
    const char* name;
    char detail[2000];
    jmp_buf end;
    PGconn* connections[MOST];
    int connection_count;
    PGresult* results[MOST];
    int result_count;
    int pids[MOST];
    int pid_count;
} now;

_Noreturn void fail(const char* format, ...) {
    va_list words;
    va_start(words, format);
    vsnprintf(now.detail, sizeof now.detail, format, words);
    va_end(words);
    longjmp(now.end, 1);
}

PGconn* opened(const char* words) {
    PGconn* connection = PQconnectdb(words);
    if (now.connection_count == MOST) {
        fail("too many connections");
    }
    now.connections[now.connection_count++] = connection;
    if (PQstatus(connection) != CONNECTION_OK) {
        fail("no connection: %s", PQerrorMessage(connection));
    }
    return connection;
}

void refused(const char* words, const char* because) {
    PGconn* connection = PQconnectdb(words);
    char said[1000];
    snprintf(said, sizeof said, "%s", PQerrorMessage(connection));
    const bool open = PQstatus(connection) == CONNECTION_OK;
    PQfinish(connection);
    if (open || strstr(said, because) == NULL) {
        fail("\"%s\" was %s: %s", words, open ? "let in" : "refused otherwise", said);
    }
}

PGresult* kept(PGresult* result) {
    if (now.result_count == MOST) {
        fail("too many results");
    }
    now.results[now.result_count++] = result;
    return result;
}

const char* table(void) {
    static char name[100];
    snprintf(name, sizeof name, "%s_%s", getenv("TABLES"), now.name);
    return name;
}

void met(const char* pid) {
    const int number = atoi(pid);
    for (int i = 0; i < now.pid_count; ++i) {
        if (now.pids[i] == number) {
            return;
        }
    }
    if (now.pid_count < MOST) {
        now.pids[now.pid_count++] = number;
    }
}

static void print_quoted(const char* text) {
    putchar('"');
    for (; *text != '\0'; ++text) {
        if ((unsigned char)*text < ' ') {
            printf("\\u%04x", *text);
        } else {
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
        }
    }
    putchar('"');
}

static void judge(const char* name, void (*check)(void)) {
    memset(&now, 0, sizeof now);
    now.name = name;
    const bool ok = setjmp(now.end) == 0;
    if (ok) {
        check();
    }
    for (int i = 0; i < now.result_count; ++i) {
        PQclear(now.results[i]);
    }
    for (int i = 0; i < now.connection_count; ++i) {
        PQfinish(now.connections[i]);
    }
    printf("{\"name\": \"%s\", \"ok\": %s, \"servers\": %d, \"detail\": ", name, ok ? "true" : "false", now.pid_count);
    print_quoted(now.detail);
    puts("}");
    fflush(stdout);
}

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        for (size_t k = 0; k < sizeof checks / sizeof checks[0]; ++k) {
            if (strcmp(argv[i], checks[k].name) == 0) {
                judge(checks[k].name, checks[k].run);
            }
        }
    }
    return 0;
}
