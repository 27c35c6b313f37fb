//go:build !simulation

package engine

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/engine/session"
)

// full starts a balancer that has as many configurations as can be, each with a tunnel.
func full(t *testing.T, head string) (b *balancer, cfg string, tunnels []net.Conn) {
	t.Helper()
	cfg = head + echoing(newPeer(t, echo).String(), "")
	b = start(t, cfg)
	for n := range session.Generations {
		if n > 0 {
			b.reload(cfg)
		}
		tunnels = append(tunnels, greeted(t, b.dial("f")))
	}
	return b, cfg, tunnels
}

// oldest returns the oldest configuration in use.
func oldest(b *balancer) *generation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[0]
}

// A reload beyond the maximum is refused, and a dry run says so. The error names what holds the
// oldest configuration. When its connections have ended, reloads work again.
func TestFullOfConfigurations(t *testing.T) {
	b, cfg, tunnels := full(t, defaults)
	_, err := b.tryReload(cfg)
	if err == nil {
		t.Fatal("a reload beyond the maximum succeeded")
	}
	const want = "64 configurations are in use, which is the maximum; the oldest is generation 1, loaded at "
	const users = ", which is used by 1 connection (1 of frontend 'f'): end them or wait until they end, then reload again; a new configuration with hard-stop-after would end them"
	if text := err.Error(); !strings.HasPrefix(text, want) || !strings.Contains(text, users) || !strings.Contains(text, oldest(b).since.Format(time.DateTime)) {
		t.Errorf("got %s", text)
	}
	if _, dry := b.Compare(b.today()); dry == nil || dry.Error() != err.Error() {
		t.Errorf("dry run: %v", dry)
	}
	greeted(t, b.dial("f")).Close()
	_ = tunnels[0].Close()
	wait(t, "the oldest configuration to end", func() bool { return len(b.serials()) == session.Generations-1 })
	if serial := b.reload(cfg).Serial; serial != session.Generations+1 {
		t.Errorf("generation %d after a refused reload", serial)
	}
	for _, c := range tunnels[1:] {
		greeted(t, c).Close()
	}
	b.only(session.Generations + 1)
}

// If the new configuration sets hard-stop-after, a reload beyond the maximum ends the connections of the
// oldest configuration, and says so. A dry run says the same, and ends nothing.
func TestReloadEndsTheOldestConfiguration(t *testing.T) {
	b, without, tunnels := full(t, defaults)
	cfg := strings.Replace(hardStop, "300ms", "1h", 1) + strings.TrimPrefix(without, defaults)
	first := oldest(b)
	want := "64 configurations are in use, which is the maximum; the oldest is generation 1, loaded at " + first.since.Format(time.DateTime) +
		", which is used by 1 connection (1 of frontend 'f'): they end now, because the new configuration sets hard-stop-after"
	s, err := b.compiled(cfg)
	if err != nil {
		t.Fatal(err)
	}
	dry, err := b.Compare(s)
	if err != nil || !slices.Contains(dry.Warnings, want) {
		t.Errorf("dry run: %v, %v", dry, err)
	}
	greeted(t, tunnels[0])
	if r := b.reload(cfg); r.Serial != session.Generations+1 || !slices.Contains(r.Warnings, want) {
		t.Errorf("got generation %d, %q, want %q", r.Serial, r.Warnings, want)
	}
	if _, err := io.ReadAll(tunnels[0]); err != nil {
		t.Error(err)
	}
	if line := b.line(); !strings.Contains(line, " KD ") {
		t.Errorf("logged %s, want KD", line)
	}
	for _, c := range tunnels[1:] {
		greeted(t, c)
	}
}
