// Runs the checks of pgx that are named, and says of each in one line of JSON what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

const (
	statements = 30   // transactions that one prepared statement is used in
	rowCount   = 5000 // of a COPY: several messages and reads in each direction
	timeLimit  = 18 * time.Second
)

var checks = map[string]func(*check){
	"connect": connect, "tls": verified, "prepared": prepared, "batch": batch, "altered": altered, "copy": copyBothWays, "notify": notify,
	"cancel": cancel, "large_object": largeObject, "savepoint": savepoint, "error": sqlstates,
}

// check is what one check has of its own. It ends by a panic where it sees something else than it expects.
type check struct {
	context.Context
	table string
	met   map[int]bool // pids of the servers that the prepared statement has run on
}

func (c *check) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (c *check) same(seen, expected interface{}) {
	if !reflect.DeepEqual(seen, expected) {
		panic(fmt.Errorf("saw %.200v instead of %.200v", seen, expected))
	}
}

func (c *check) raises(sqlstate string, err error) {
	var problem *pgconn.PgError
	if !errors.As(err, &problem) || problem.Code != sqlstate {
		panic(fmt.Errorf("%v instead of %s", err, sqlstate))
	}
}

// open connects by the environment and these words of a connection string.
func (c *check) open(words string) *pgx.Conn {
	connection, err := pgx.Connect(c, words)
	c.must(err)
	return connection
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...interface{}) pgx.Row
	Exec(ctx context.Context, sql string, args ...interface{}) (pgconn.CommandTag, error)
}

func (c *check) run(on querier, sql string, args ...interface{}) {
	_, err := on.Exec(c, sql, args...)
	c.must(err)
}

func (c *check) text(on querier, sql string, args ...interface{}) (value string) {
	c.must(on.QueryRow(c, sql, args...).Scan(&value))
	return value
}

type verdict struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Servers int    `json:"servers"`
	Detail  string `json:"detail"`
}

func judge(name string) (said verdict) {
	ctx, done := context.WithTimeout(context.Background(), timeLimit)
	defer done()
	own := &check{Context: ctx, table: os.Getenv("TABLES") + "_" + name, met: map[int]bool{}}
	said.Name = name
	defer func() {
		said.Servers = len(own.met)
		if problem := recover(); problem != nil {
			said.OK = false
			said.Detail = fmt.Sprintf("%v\n%s", problem, debug.Stack())
		}
	}()
	checks[name](own)
	said.OK = true
	return said
}

func main() {
	for _, name := range os.Args[1:] {
		line, err := json.Marshal(judge(name))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
