package sniff

import (
	"bytes"
	"crypto/tls"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestAgainstGo sends hellos of crypto/tls clients with random names, protocols, versions and
// curves. They are cut into random records and given in random pieces. The results must be
// those of a crypto/tls server.
func TestAgainstGo(t *testing.T) {
	rng := random(t)
	s := NewScanner()
	for range 300 {
		cfg := randomConfig(rng)
		hello := clientHello(t, cfg)
		info := goReads(hello)
		if info == nil {
			t.Fatalf("crypto/tls refuses its own hello % x", hello)
		}
		most := 1 + rng.IntN(400)
		wire := records(message(hello), func() int { return 1 + rng.IntN(most) })
		wire = append(wire, make([]byte, rng.IntN(3))...)
		f := inPieces(s, rng, wire)
		checkAgainstGo(t, f, info)
		if name := strings.TrimSuffix(cfg.ServerName, "."); string(f.TLS.Name()) != strings.ToLower(name) {
			t.Errorf("name %q, want %q", f.TLS.Name(), name)
		}
	}
}

func checkAgainstGo(t *testing.T, f *Facts, info *tls.ClientHelloInfo) {
	t.Helper()
	if f.TLS.Verdict != Yes || string(f.TLS.SNI) != fold(info.ServerName) {
		t.Errorf("%v, sni %q; crypto/tls reads %q", f.TLS.Verdict, f.TLS.SNI, info.ServerName)
	}
	if got := offered(&f.TLS); got != strings.Join(info.SupportedProtos, ",") {
		t.Errorf("alpn %q; crypto/tls reads %q", got, info.SupportedProtos)
	}
}

// fold converts ASCII letters only to lower case. strings.ToLower would convert other letters,
// too.
func fold(name string) string {
	b := []byte(name)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}

// inPieces passes b in random pieces and with one State, until there is an answer.
func inPieces(s *Scanner, rng *rand.Rand, b []byte) *Facts {
	var st State
	f := &Facts{}
	for n := 0; f.Verdict() == More && n < len(b); {
		n = min(len(b), n+1+rng.IntN(200))
		s.Sniff(&st, slices.Clip(bytes.Clone(b[:n])), f)
	}
	return f
}

func randomConfig(rng *rand.Rand) *tls.Config {
	curves := []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	rng.Shuffle(len(curves), func(i, j int) { curves[i], curves[j] = curves[j], curves[i] })
	return &tls.Config{
		ServerName:       randomName(rng),
		NextProtos:       randomProtocols(rng),
		CurvePreferences: curves[:1+rng.IntN(len(curves))],
		MinVersion:       tls.VersionTLS10 + uint16(rng.IntN(3)),
		MaxVersion:       tls.VersionTLS12 + uint16(rng.IntN(2)),
	}
}

func randomName(rng *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	var labels []string
	for range rng.IntN(4) {
		label := make([]byte, 1+rng.IntN(60))
		for i := range label {
			label[i] = letters[rng.IntN(len(letters))]
		}
		labels = append(labels, string(label))
	}
	return strings.Join(append(labels, "test"), ".") + []string{"", "."}[rng.IntN(2)]
}

func randomProtocols(rng *rand.Rand) (all []string) {
	for range rng.IntN(5) {
		all = append(all, strings.Repeat(string(rune('a'+rng.IntN(26))), 1+rng.IntN(255)))
	}
	return all
}
