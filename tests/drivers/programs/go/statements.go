package main

import (
	"fmt"

	"github.com/jackc/pgx/v4"
)

// One name is ours, the others are those of the driver's cache, which overflows: then the driver says DEALLOCATE with a name.
func prepared(c *check) {
	connection := c.open("statement_cache_capacity=4")
	defer connection.Close(c)
	_, err := connection.Prepare(c, "twice", "select $1::int * 2, pg_backend_pid()")
	c.must(err)
	for n := 0; n < statements; n++ {
		c.must(connection.BeginFunc(c, func(transaction pgx.Tx) error {
			var doubled, pid int
			if err := transaction.QueryRow(c, "twice", n).Scan(&doubled, &pid); err != nil {
				return err
			}
			c.same(doubled, 2*n)
			c.met[pid] = true
			return nil
		}))
		passing := fmt.Sprintf("select $1::text || '%d'", n%6)
		c.same(c.text(connection, passing, "x"), fmt.Sprintf("x%d", n%6))
	}
	_, err = connection.Exec(c, "select $1::int[]", []int32{1, 2})
	c.must(err)
}

func batch(c *check) {
	connection := c.open("")
	defer connection.Close(c)
	c.run(connection, "create table "+c.table+" (n int primary key)")
	insert := "insert into " + c.table + " values ($1)"
	queued := &pgx.Batch{}
	for n := 0; n < 100; n++ {
		queued.Queue(insert, n)
		queued.Queue("select $1::int * 3", n)
	}
	answers := connection.SendBatch(c, queued)
	for n := 0; n < 100; n++ {
		_, err := answers.Exec()
		c.must(err)
		var product int
		c.must(answers.QueryRow().Scan(&product))
		c.same(product, 3*n)
	}
	c.must(answers.Close())

	failing := &pgx.Batch{}
	failing.Queue(insert, 1000)
	failing.Queue(insert, 1)
	failing.Queue(insert, 1001)
	answers = connection.SendBatch(c, failing)
	_, err := answers.Exec()
	c.must(err)
	_, err = answers.Exec()
	c.raises("23505", err)
	c.raises("23505", answers.Close())
	c.same(c.text(connection, "select count(*)::text from "+c.table), "100")
}

// A plan that is outdated may be told of once; the driver prepares anew behind it.
func altered(c *check) {
	connection, owner := c.open(""), c.open("")
	defer connection.Close(c)
	defer owner.Close(c)
	c.run(owner, "create table "+c.table+" (n int)")
	c.run(owner, "insert into "+c.table+" values (1)")
	columns := func() (int, error) {
		rows, err := connection.Query(c, "select * from "+c.table+" where n = $1", 1)
		c.must(err)
		for rows.Next() {
		}
		return len(rows.FieldDescriptions()), rows.Err()
	}
	for n := 0; n < 10; n++ {
		count, err := columns()
		if err != nil {
			c.raises("0A000", err)
			count, err = columns()
		}
		c.must(err)
		c.same(count, n+1)
		kind := "int"
		if n%2 == 0 {
			kind = "bigint"
		}
		c.run(owner, fmt.Sprintf("alter table %s alter n type %s, add c%d text", c.table, kind, n))
	}
}
