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

// serveBulk gives each connection what its X-Down asks for and takes what its
// Content-Length announces, both at once.
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
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
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
		// An answer that is over before its request may end an upload in mode http.
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
