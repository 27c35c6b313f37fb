//go:build !simulation

package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// playServers answers every question mark with the quoted text args[0]. It first prints its
// address.
func playServers(args []string) error {
	answer, err := strconv.Unquote(args[0])
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go answerQuestions(c, answer)
		}
	}()
	fmt.Println(ln.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func answerQuestions(c net.Conn, answer string) {
	defer c.Close()
	text := make([]byte, 256)
	for {
		n, err := c.Read(text)
		if _, err := c.Write(bytes.Repeat([]byte(answer), bytes.Count(text[:n], []byte("?")))); err != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

// crowd is the connections of many clients.
type crowd struct {
	conns []net.Conn
	text  string // sent by each of them
}

// atOnce is the number of clients of a crowd that act at the same time.
const atOnce = 64

// playClients does what its standard input says, a line a command:
//
//	open ADDRESS NUMBER TEXT   connect, send the quoted text, hear an answer
//	ask                        every client says it once more
//	close                      every client leaves
func playClients([]string) error {
	fmt.Println("ready")
	var c crowd
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if err := c.obey(commands.Text()); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("ok")
	}
	return commands.Err()
}

func (c *crowd) obey(command string) error {
	words := strings.SplitN(command, " ", 4)
	switch words[0] {
	case "open":
		n, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		if c.text, err = strconv.Unquote(words[3]); err != nil {
			return err
		}
		return c.open(words[1], n)
	case "ask":
		return c.each(func(i int) error { return question(c.conns[i], c.text) })
	case "close":
		err := c.each(func(i int) error { return c.conns[i].Close() })
		c.conns = nil
		return err
	}
	return fmt.Errorf("command %q; want open, ask or close", command)
}

// open connects n clients, from eight addresses in turn.
func (c *crowd) open(addr string, n int) error {
	c.conns = slices.Grow(c.conns, n)[:n]
	return c.each(func(i int) error {
		d := net.Dialer{
			LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(10+i%8))},
			Timeout:   patienceOfTests,
		}
		conn, err := d.Dial("tcp", addr)
		if err != nil {
			return err
		}
		c.conns[i] = conn
		return question(conn, c.text)
	})
}

// question sends a text with a question mark and waits for the answer, which ends with an
// exclamation mark.
func question(c net.Conn, text string) error {
	_ = c.SetDeadline(time.Now().Add(patienceOfTests))
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	if answer, err := bufio.NewReader(c).ReadString('!'); err != nil {
		return fmt.Errorf("after %q: %w", answer, err)
	}
	return nil
}

// each calls do for every connection and returns the first error.
func (c *crowd) each(do func(i int) error) error {
	var working sync.WaitGroup
	errs := make([]error, atOnce)
	for first := range atOnce {
		working.Go(func() {
			for i := first; i < len(c.conns) && errs[first] == nil; i += atOnce {
				errs[first] = do(i)
			}
		})
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
