package scenario

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"sluice/bench/origin"
	"sluice/bench/peer"
)

func running(p peer.Peer, route peer.Route, rules int) *peer.Running {
	return &peer.Running{Peer: p, Site: peer.Site{Route: route, Rules: rules}}
}

func TestAnswersFollowTheRules(t *testing.T) {
	router := running(&peer.HAProxy{}, peer.Host, 100)
	all, err := exchanges(short, router)
	if err != nil || len(all) != 100 {
		t.Fatalf("%d exchanges, %v", len(all), err)
	}
	for i := range 100 {
		found := false
		for _, e := range all {
			if bytes.Contains(e.Request, []byte("Host: "+peer.Name(i)+"\r\n")) {
				found = bytes.Equal(e.Answer, origin.Answer(peer.Of(i), true))
			}
		}
		if !found {
			t.Errorf("name %d: not asked, or the wrong site expected", i)
		}
	}
	blind, err := exchanges(kept, running(&peer.Floor{}, peer.Host, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range blind {
		if !bytes.Equal(e.Answer, origin.Answer(0, false)) {
			t.Errorf("%q expected of who can't route", e.Answer)
		}
	}
}

// TestHellosAreHellos checks that crypto/tls can read the hellos.
func TestHellosAreHellos(t *testing.T) {
	all, err := exchanges(hello, running(&peer.HAProxy{}, peer.SNI, 3))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range all {
		client, server := net.Pipe()
		go func() {
			_, _ = client.Write(e.Request)
			_, _ = io.Copy(io.Discard, client)
		}()
		_ = tls.Server(server, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			seen[h.ServerName] = true
			return nil, io.EOF
		}}).Handshake()
		server.Close()
	}
	for i := range 3 {
		if !seen[peer.Name(i)] {
			t.Errorf("nobody says %s", peer.Name(i))
		}
	}
}
