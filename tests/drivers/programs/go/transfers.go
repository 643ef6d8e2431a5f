package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v4"
)

func copyBothWays(c *check) {
	connection := c.open("")
	defer connection.Close(c)
	c.run(connection, "create table "+c.table+" (n int, t text)")
	row := func(n int) ([]interface{}, error) { return []interface{}{n, fmt.Sprintf("row %d\tä", n)}, nil }
	copied, err := connection.CopyFrom(c, pgx.Identifier{c.table}, []string{"n", "t"}, pgx.CopyFromSlice(rowCount, row))
	c.must(err)
	c.same(copied, int64(rowCount))

	var out, expected bytes.Buffer
	for n := 0; n < rowCount; n++ {
		fmt.Fprintf(&expected, "%d\trow %d\\tä\n", n, n)
	}
	_, err = connection.PgConn().CopyTo(c, &out, "copy (select * from "+c.table+" order by n) to stdout")
	c.must(err)
	c.same(out.String(), expected.String())

	_, err = connection.PgConn().CopyFrom(c, strings.NewReader("none\tx\n"), "copy "+c.table+" from stdin")
	c.raises("22P02", err)
	givesUp := func(n int) ([]interface{}, error) { return []interface{}{n, "never kept"}, io.ErrUnexpectedEOF }
	_, err = connection.CopyFrom(c, pgx.Identifier{c.table}, []string{"n", "t"}, pgx.CopyFromSlice(10, givesUp))
	c.same(err != nil, true)
	c.same(c.text(connection, "select count(*)::text from "+c.table), fmt.Sprint(rowCount))
}

func largeObject(c *check) {
	content := make([]byte, 200000)
	for i := range content {
		content[i] = byte(i * 7)
	}
	connection := c.open("")
	defer connection.Close(c)
	var oid uint32
	c.must(connection.BeginFunc(c, func(transaction pgx.Tx) (err error) {
		objects := transaction.LargeObjects()
		oid, err = objects.Create(c, 0)
		c.must(err)
		writing, err := objects.Open(c, oid, pgx.LargeObjectModeWrite)
		c.must(err)
		_, err = writing.Write(content)
		c.must(err)
		return writing.Close()
	}))
	c.must(connection.BeginFunc(c, func(transaction pgx.Tx) error {
		objects := transaction.LargeObjects()
		reading, err := objects.Open(c, oid, pgx.LargeObjectModeRead)
		c.must(err)
		_, err = reading.Seek(1000, io.SeekStart)
		c.must(err)
		seen, err := io.ReadAll(reading)
		c.must(err)
		c.same(bytes.Equal(seen, content[1000:]), true)
		return objects.Unlink(c, oid)
	}))
	transaction, err := connection.Begin(c)
	c.must(err)
	objects := transaction.LargeObjects()
	_, err = objects.Open(c, oid, pgx.LargeObjectModeRead)
	c.raises("42704", err)
	c.must(transaction.Rollback(c))
}
