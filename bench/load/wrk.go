package load

import (
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// Wrk is a run of wrk. Its figures are compared with those of this package's closed loop.
type Wrk struct {
	Addr    netip.AddrPort
	Host    string
	Clients int
	Keep    bool
	For     time.Duration
}

// Args returns wrk's arguments. wrk accepts only whole seconds.
func (w Wrk) Args() []string {
	args := []string{
		"-t", strconv.Itoa(min(threads, w.Clients)), "-c", strconv.Itoa(w.Clients),
		"-d", fmt.Sprintf("%ds", max(1, int(w.For.Round(time.Second)/time.Second))),
		"-H", "Host: " + w.Host,
	}
	if !w.Keep {
		args = append(args, "-H", "Connection: close")
	}
	return append(args, "http://"+w.Addr.String()+"/")
}

// Run runs wrk. It returns the number of answered requests and the time that they took.
func (w Wrk) Run() (*Result, error) {
	out, err := exec.Command("wrk", w.Args()...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("wrk: %w: %.200s", err, out)
	}
	return parseWrk(string(out))
}

var (
	wrkTotal = regexp.MustCompile(`(?m)^\s*(\d+) requests in ([0-9.]+(?:us|ms|s|m)),`)
	wrkFails = regexp.MustCompile(`(?m)^\s*(?:Socket errors: .*|Non-2xx or 3xx responses: .*)$`)
)

func parseWrk(out string) (*Result, error) {
	if fails := wrkFails.FindString(out); fails != "" {
		return nil, fmt.Errorf("wrk: %s", fails)
	}
	m := wrkTotal.FindStringSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("wrk printed no total: %.200q", out)
	}
	done, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("wrk's requests: %w", err)
	}
	took, err := time.ParseDuration(m[2])
	if err != nil {
		return nil, fmt.Errorf("wrk's time: %w", err)
	}
	return &Result{Done: done, Elapsed: took}, nil
}
