//go:build !simulation

package engine

import (
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// talksFlag is the number of random conversations in each test of them. The environment variable
// SLUICE_TALKS sets it too.
var (
	talksFlag = flag.Int("talks", 0, "random conversations of each kind; 0: a few")
	talkFlag  = flag.Int("talk", -1, "only the random conversation of that number")
)

func talksWanted(few int) int {
	if n, _ := strconv.Atoi(os.Getenv("SLUICE_TALKS")); n > 0 {
		return n
	}
	if *talksFlag > 0 {
		return *talksFlag
	}
	return few
}

// landscape is a configuration for random talks.
type landscape struct {
	name    string
	bind    string
	clients wire
	servers wire
	options string
	change  func(*Options)
}

func landscapes(t *testing.T) []landscape {
	t.Helper()
	unixBind := "unix@" + shortDir(t) + "/f"
	return []landscape{
		{name: "TCP", bind: "127.0.0.1:1", clients: overTCP, servers: overTCP},
		{name: "narrow", bind: "127.0.0.1:1", clients: narrowTCP, servers: narrowTCP, options: "nbthread 1", change: func(o *Options) { narrowClients(o); narrowServers(o) }},
		{name: "UNIX", bind: unixBind, clients: overUnix, servers: overUnix, options: "nbthread 1"},
		{name: "no budget", bind: "127.0.0.1:1", clients: overTCP, servers: overUnix, options: "nbthread 1", change: func(o *Options) { noBudget(o); noPipes(o) }},
	}
}

// talkers is the number of talks at the same time.
const talkers = 8

// TestRandomTalks: misbehaving clients and servers exchange HTTP messages through the balancer.
// Each must get the bytes that were sent to it, in order, and all of them if both ends were
// polite.
func TestRandomTalks(t *testing.T) {
	for i, place := range landscapes(t) {
		t.Run(place.name, func(t *testing.T) {
			n := talksWanted(150)
			w, talks := planWorld(t, 1+i*10000, n)
			w.splits = place.servers.narrow
			b := startWith(t, w.config(place), place.change)
			w.run(talks, b.addrs["f"], place.clients, nil)
			w.report(talks)
		})
	}
}

func planWorld(t *testing.T, first, n int) (*webWorld, []*talk) {
	t.Helper()
	t.Logf("-seed %d", *seed)
	var talks []*talk
	for i := range n {
		if *talkFlag < 0 || *talkFlag == first+i {
			talks = append(talks, planTalk(first+i))
		}
	}
	return newWebWorld(t, talks), talks
}

func (w *webWorld) config(place landscape) string {
	return fmt.Sprintf(`%s
frontend f
  bind %s
  http-request deny if { hdr(X-Refuse) yes }
  use_backend one if { hdr(host) one.test }
  use_backend two if { hdr(host) two.test }
  default_backend keep
backend one
  server s %s
backend two
  option http-server-close
  server s %s
backend keep
  server s %s
  server t %[5]s
global
  maxconn 200
  %[6]s
`, webDefaults, place.bind, w.serve(place.servers), w.serve(place.servers), w.serve(place.servers), place.options)
}

// run plays the talks, some of them at the same time, and returns each client's results.
func (w *webWorld) run(talks []*talk, to net.Addr, wire wire, outcomes map[int][]string) {
	queue := make(chan *talk)
	var working sync.WaitGroup
	var mu sync.Mutex
	for range talkers {
		working.Go(func() {
			for k := range queue {
				conn := dialOver(w.t, wire, to)
				if conn == nil {
					continue
				}
				began := time.Now()
				got := w.converse(k, conn)
				if took := time.Since(began); took > 8*time.Second {
					w.fail(k.number*100, "the talk took %v", took)
				}
				if mu.Lock(); outcomes != nil {
					outcomes[k.number] = got
				}
				mu.Unlock()
			}
		})
	}
	for _, k := range talks {
		queue <- k
	}
	close(queue)
	working.Wait()
}

// report fails the test with the plans of the talks in which an error was found.
func (w *webWorld) report(talks []*talk) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	told := 0
	for _, k := range talks {
		wrong := w.wrong[k.number]
		if len(wrong) == 0 {
			continue
		}
		if told++; told > 3 {
			continue
		}
		w.t.Errorf("-seed %d -talk %d:\n  %s\n%s", *seed, k.number, strings.Join(wrong, "\n  "), k)
	}
	if told > 3 {
		w.t.Errorf("and %d talks more", told-3)
	}
}
