//go:build !simulation

package engine

import "sluice/engine/sock"

// reload replaces the configuration. It fails the test if the engine refuses it.
func (b *balancer) reload(cfg string) *Reloaded {
	b.t.Helper()
	r, err := b.tryReload(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *balancer) tryReload(cfg string) (*Reloaded, error) {
	b.t.Helper()
	s, err := compiled(parse(b.t, "global\n  nbthread 2\ndefaults\n  option tcplog\n"+cfg))
	if err != nil {
		return nil, err
	}
	return b.Reload(s, sock.LookUp)
}
