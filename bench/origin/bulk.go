package origin

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"sluice/bench/load"
)

// serveBulk sends on each connection as many bytes as its header X-Down asks for. At the same
// time it reads as many bytes as Content-Length announces.
func serveBulk(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			if err := bulk(c); err != nil {
				_, _ = fmt.Fprintf(c, "HTTP/1.1 400 Bad Request\r\n\r\n%v\n", err)
			}
		}()
	}
}

func bulk(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 4<<10)
	asked, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	down, err := strconv.ParseInt(asked.Header.Get("X-Down"), 10, 64)
	if err != nil {
		return fmt.Errorf("X-Down: %w", err)
	}
	taken := make(chan error, 1)
	go func() {
		defer close(taken)
		sent := io.MultiReader(io.LimitReader(r, int64(r.Buffered())), c)
		taken <- load.Receive(sent, asked.ContentLength, false)
	}()
	if down == 0 {
		// In mode http, an answer that is complete before its request may end an upload. So
		// answer later.
		if err := <-taken; err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", down); err != nil {
		return err
	}
	if err := load.Send(c, down); err != nil {
		return err
	}
	return <-taken
}
