package scenario

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"sluice/bench/load"
	"sluice/bench/origin"
)

func TestSameMeaning(t *testing.T) {
	want := origin.Answer(1, true)
	same := strings.Replace(string(want), "Connection: close\r\n", "", 1)
	same = strings.ReplaceAll(strings.ReplaceAll(same, "Server", "server"), "Content-", "content-")
	if err := sameMeaning([]byte(same), want); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]string{
		"another site":   string(origin.Answer(0, true)),
		"a status":       strings.Replace(same, "200", "204", 1),
		"a field more":   strings.Replace(same, "\r\n", "\r\nVia: x\r\n", 1),
		"a field less":   strings.Replace(same, "server: origin\r\n", "", 1),
		"bytes behind":   same + "x",
		"bytes missing":  same[:len(same)-1],
		"nothing at all": "",
	} {
		if sameMeaning([]byte(other), want) == nil {
			t.Errorf("%s: not seen", name)
		}
	}
}

// TestInOwnWords: the proxy's own form of an answer becomes the expected answer.
func TestInOwnWords(t *testing.T) {
	for _, last := range []bool{false, true} {
		words := strings.ReplaceAll(string(origin.Answer(0, last)), "Server", "server")
		addr := saying(t, words, last)
		all := []load.Exchange{{Request: []byte("x"), Answer: origin.Answer(0, last)}}
		if err := inOwnWords(all, addr); err != nil || string(all[0].Answer) != words {
			t.Errorf("%v, and %q expected", err, all[0].Answer)
		}
		all[0].Answer = origin.Answer(1, last)
		if err := inOwnWords(all, addr); err == nil {
			t.Error("the wrong site is not seen")
		}
	}
}

// saying is a server that gives every client the same answer. It closes the connection after
// the answer if last is true.
func saying(t *testing.T, words string, last bool) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1))
				_, _ = c.Write([]byte(words))
				if !last {
					_, _ = c.Read(make([]byte, 1))
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}
