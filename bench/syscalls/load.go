package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	host      = "site.test"
	question  = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"
	answer    = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
	timeLimit = 20 * time.Second // limit for the start of the balancer, for one request, and for the end of strace
)

// config routes by Host and logs nothing.
const config = `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend site
  bind %s
  use_backend origin if { hdr(host) ` + host + ` }
backend origin
  server s %s
`

// newOrigin returns a listener whose connections each get one answer and are then closed.
func newOrigin() (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return ln, nil
}

func serve(c net.Conn) {
	defer c.Close()
	if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.WriteString(c, answer)
	}
}

// balancer is the process that is measured.
type balancer struct {
	process *exec.Cmd
	addr    string
}

// startBalancer starts the balancer and returns when it has served a request.
func startBalancer(bin, dir string, origin net.Addr) (*balancer, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "site.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, addr, origin), 0o600); err != nil {
		return nil, err
	}
	b := &balancer{process: exec.Command(bin, "run", "-f", file), addr: addr}
	said := new(strings.Builder)
	b.process.Stdout, b.process.Stderr = said, said
	if err := b.process.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(timeLimit); ; time.Sleep(10 * time.Millisecond) {
		if err = ask(addr); err == nil {
			return b, nil
		}
		if time.Now().After(end) {
			b.stop()
			return nil, fmt.Errorf("%s does not serve: %w; it said:\n%s", bin, err, said)
		}
	}
}

func (b *balancer) stop() {
	_ = b.process.Process.Kill()
	_ = b.process.Wait()
}

func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// load makes conns connections, at most clients of them at once.
func load(addr string, clients, conns int) error {
	errs := make([]error, clients)
	var working sync.WaitGroup
	for i := range clients {
		working.Go(func() {
			for n := i; n < conns && errs[i] == nil; n += clients {
				errs[i] = ask(addr)
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

// ask makes one connection with one request and checks the answer.
func ask(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(timeLimit))
	if _, err := io.WriteString(c, question); err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err == nil && string(got) != answer {
		err = fmt.Errorf("the answer is %q; want %q", got, answer)
	}
	return err
}
