package origin

import (
	"os"
	"runtime"
	"testing"
	"time"

	"sluice/bench/load"
)

// TestMain can also run the origin's process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-origin" {
		if err := Main(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

func start(t *testing.T) *Process {
	t.Helper()
	p, err := Start(os.Args[0], "-origin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func get(ending string) []byte { return []byte("GET / HTTP/1.1\r\nHost: x\r\n" + ending + "\r\n") }

func TestSites(t *testing.T) {
	p := start(t)
	hello := []byte{22, 3, 1, 0, 3, 1, 2, 3}
	for site := range 2 {
		for name, plan := range map[string]load.Plan{
			"short":     {Addr: p.HTTP[site], Exchanges: []load.Exchange{{Request: get("Connection: close\r\n"), Answer: Answer(site, true)}}},
			"keepalive": {Addr: p.HTTP[site], Keep: true, Exchanges: []load.Exchange{{Request: get(""), Answer: Answer(site, false)}}},
			"scheduled": {Addr: p.HTTP[site], Keep: true, Rate: 500, Exchanges: []load.Exchange{{Request: get(""), Answer: Answer(site, false)}}},
			"tls":       {Addr: p.TLS[site], Exchanges: []load.Exchange{{Request: hello, Answer: Flight(site)}}},
		} {
			t.Run(name, func(t *testing.T) { works(t, plan) })
		}
	}
}

func works(t *testing.T, plan load.Plan) {
	t.Helper()
	plan.Clients, plan.For = 5, 100*time.Millisecond
	started := 0
	plan.Started = func() { started++ }
	r, err := load.Run(plan)
	if err != nil {
		t.Fatal(err)
	}
	if started != 1 || r.Done < 5 || r.Latency.TotalCount() != r.Done {
		t.Errorf("started %d times, %d done, %d latencies", started, r.Done, r.Latency.TotalCount())
	}
}

func TestBulk(t *testing.T) {
	p := start(t)
	for _, job := range []load.Transfer{{Down: 3 << 20}, {Up: 3 << 20}, {Down: 2 << 20, Up: 2 << 20}, {}} {
		for _, job.Streams = range []int{1, 3} {
			job.Addr, job.Host = p.Bulk, "x"
			if _, err := job.Run(true); err != nil {
				t.Errorf("%+v: %v", job, err)
			}
		}
	}
}

func TestHeldConnectionsDrip(t *testing.T) {
	p := start(t)
	first := load.Exchange{Request: []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), Answer: Answer(0, false)}
	h, err := load.Hold(p.HTTP[0], first, 200)
	if err != nil {
		t.Fatal(err)
	}
	h.Drip()
	for deadline := time.Now().Add(10 * time.Second); h.Dripped() < 20; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes dripped", h.Dripped())
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
