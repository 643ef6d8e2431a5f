package main

import (
	"time"
)

func notify(c *check) {
	listener, notifier := c.open(""), c.open("")
	defer listener.Close(c)
	defer notifier.Close(c)
	c.run(listener, "listen news")
	for _, payload := range []string{"hello", "again"} {
		c.run(notifier, "select pg_notify('news', $1)", payload)
		heard, err := listener.WaitForNotification(c)
		c.must(err)
		c.same(heard.Channel+" "+heard.Payload, "news "+payload)
	}
	c.run(listener, "unlisten news")
}

// The driver itself closes a connection whose context ends, so the request is sent by its own function for that.
func cancel(c *check) {
	connection := c.open("")
	defer connection.Close(c)
	for i := 0; i < 2; i++ {
		asked := make(chan error, 1)
		time.AfterFunc(500*time.Millisecond, func() { asked <- connection.PgConn().CancelRequest(c) })
		_, err := connection.Exec(c, "select pg_sleep(15)")
		c.raises("57014", err)
		c.must(<-asked)
		c.same(c.text(connection, "select 'usable'"), "usable")
	}
}
