//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealRedis: the balancer reaches a database over TCP and over its UNIX socket.
func TestRealRedis(t *testing.T) {
	addr, dir := deadPort(t), t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	local := filepath.Join(dir, "redis.sock")
	background(t, "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket", local,
		"--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no").serves("unix", local)
	for name, to := range map[string]string{"TCP": addr, "UNIX": "unix@" + local} {
		t.Run(name, func(t *testing.T) {
			useRedis(t, start(t, plain+"  server s "+to))
		})
	}
}

func useRedis(t *testing.T, b *balancer) {
	t.Helper()
	host, port, err := net.SplitHostPort(b.addrs["f"].String())
	if err != nil {
		t.Fatal(err)
	}
	redis := func(input string, args ...string) string {
		t.Helper()
		return tool(t, input, "redis-cli", append([]string{"-h", host, "-p", port}, args...)...)
	}
	if got := redis("", "FLUSHALL"); got != "OK\n" {
		t.Errorf("FLUSHALL: %q", got)
	}
	large := strings.Repeat("0123456789abcdef", 1<<19)
	redis(large, "-x", "SET", "large")
	if got := redis("", "GET", "large"); got != large+"\n" {
		t.Errorf("GET gives %d bytes; want the %d that were set", len(got), len(large)+1)
	}
	var many strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&many, "SET key%d %d\r\n", i, i)
	}
	if got := redis(many.String(), "--pipe"); !strings.Contains(got, "errors: 0, replies: 20000") {
		t.Errorf("a pipeline of 20,000 commands: %q", got)
	}
	tool(t, "", "redis-benchmark", "-h", host, "-p", port, "-q", "-c", "50", "-n", "10000", "-t", "set,get,lrange_100")
	if got := redis("", "GET", "key19999"); got != "19999\n" {
		t.Errorf("GET gives %q", got)
	}
}
