package main

import (
	"crypto/tls"
	"os"
	"strings"

	"github.com/jackc/pgx/v4"
)

func connect(c *check) {
	connection := c.open("application_name=drivers")
	defer connection.Close(c)
	c.same(c.text(connection, "select current_user::text"), os.Getenv("PGUSER"))
	c.same(c.text(connection, "select current_database()::text"), os.Getenv("PGDATABASE"))
	c.same(c.text(connection, "show application_name"), "drivers")
	c.same(connection.PgConn().ParameterStatus("application_name"), "drivers")
	c.same(strings.HasPrefix(connection.PgConn().ParameterStatus("server_version"), "15."), true)
	_, err := pgx.Connect(c, "password=wrong")
	c.raises("28P01", err)
}

func verified(c *check) {
	connection := c.open("host=localhost sslmode=verify-full")
	defer connection.Close(c)
	_, encrypted := connection.PgConn().Conn().(*tls.Conn)
	c.same(encrypted, true)
	c.same(c.text(connection, "select repeat('x', 100000)"), strings.Repeat("x", 100000))
	_, err := pgx.Connect(c, "host=localhost sslmode=verify-full sslrootcert="+os.Getenv("FOREIGN_CA"))
	c.same(err != nil && strings.Contains(err.Error(), "certificate signed by unknown authority"), true)
}

func savepoint(c *check) {
	connection := c.open("")
	defer connection.Close(c)
	c.run(connection, "create table "+c.table+" (n int primary key)")
	insert := "insert into " + c.table + " values ($1)"
	outer, err := connection.Begin(c)
	c.must(err)
	c.run(outer, insert, 1)
	inner, err := outer.Begin(c)
	c.must(err)
	c.run(inner, insert, 2)
	_, err = inner.Exec(c, insert, 1)
	c.raises("23505", err)
	c.must(inner.Rollback(c))
	inner, err = outer.Begin(c)
	c.must(err)
	c.run(inner, insert, 3)
	c.must(inner.Commit(c))
	c.must(outer.Commit(c))
	c.same(c.text(connection, "select string_agg(n::text, ',' order by n) from "+c.table), "1,3")
}

func sqlstates(c *check) {
	connection := c.open("")
	defer connection.Close(c)
	transaction, err := connection.BeginTx(c, pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly})
	c.must(err)
	_, err = transaction.Exec(c, "select 1 / $1::int", 0)
	c.raises("22012", err)
	_, err = transaction.Exec(c, "select 1")
	c.raises("25P02", err)
	c.same(transaction.Commit(c), pgx.ErrTxCommitRollback)
	c.same(connection.PgConn().TxStatus(), byte('I'))
	_, err = connection.Exec(c, "selekt")
	c.raises("42601", err)
	_, err = connection.Exec(c, "select * from nothing where n = $1", 1)
	c.raises("42P01", err)
	c.same(c.text(connection, "select 'usable'"), "usable")
}
