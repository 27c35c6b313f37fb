package sniff

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

func browserHead() []byte {
	return []byte("GET /articles/2024/how-to-balance?page=2 HTTP/1.1\r\nHost: www.example.org\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n" +
		"Cookie: SERVERID=a; session=" + strings.Repeat("0123456789abcdef", 8) + "\r\n\r\n")
}

func TestNoAllocation(t *testing.T) {
	s := NewScanner()
	hello := clientHello(t, &tls.Config{ServerName: "WWW.Example.org", NextProtos: []string{"h2", "http/1.1"}})
	inputs := map[string][]byte{
		"hello":    hello,
		"records":  records(message(hello), func() int { return 7 }),
		"cut":      hello[:len(hello)/2],
		"head":     browserHead(),
		"absolute": []byte("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 12\r\n\r\n"),
		"ssh":      []byte("SSH-2.0-OpenSSH_9.6\r\n"),
	}
	var f Facts
	for name, b := range inputs {
		n := testing.AllocsPerRun(100, func() {
			var st State
			s.Sniff(&st, b, &f)
			f.TLS.Name()
			for _, at := f.TLS.NextALPN(0); at > 0; _, at = f.TLS.NextALPN(at) {
			}
			for _, _, at := f.HTTP.Next(0); at > 0; _, _, at = f.HTTP.Next(at) {
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestState checks two properties. A State must be small, because each session contains one. A
// State must have read all bytes given, except an incomplete record header; else the cost is
// not linear.
func TestState(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > 24 {
		t.Errorf("a State takes %d bytes, want 24 at most", n)
	}
	s := NewScanner()
	hello := clientHello(t, &tls.Config{ServerName: "example.org"})
	for _, b := range [][]byte{hello, records(message(hello), func() int { return 1 }), browserHead()} {
		var st State
		var f Facts
		for n := 1; n < len(b); n++ {
			s.Sniff(&st, b[:n], &f)
			if walked := int(max(st.walk.at, st.head.at)); n-walked >= recordHeader {
				t.Fatalf("%d of %d bytes walked", walked, n)
			}
		}
	}
}

func BenchmarkHello(b *testing.B) {
	hello := clientHello(b, &tls.Config{ServerName: "www.example.org", NextProtos: []string{"h2", "http/1.1"}})
	b.Run(fmt.Sprintf("bytes=%d", len(hello)), func(b *testing.B) { sniffWhole(b, hello) })
	cut := records(message(hello), func() int { return 16 })
	b.Run(fmt.Sprintf("bytes=%d/records=16", len(cut)), func(b *testing.B) { sniffWhole(b, cut) })
}

func BenchmarkHead(b *testing.B) {
	short := []byte("GET / HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n")
	for _, head := range [][]byte{short, browserHead()} {
		b.Run(fmt.Sprintf("bytes=%d", len(head)), func(b *testing.B) { sniffWhole(b, head) })
	}
}

func sniffWhole(b *testing.B, data []byte) {
	b.Helper()
	s := NewScanner()
	var f Facts
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var st State
		s.Sniff(&st, data, &f)
	}
	if f.Verdict() != Yes {
		b.Fatal("not recognised")
	}
}

// BenchmarkByteByByte shows that the cost is linear: a byte costs the same after one thousand
// and after sixty thousand bytes.
func BenchmarkByteByByte(b *testing.B) {
	s := NewScanner()
	for _, size := range []int{1 << 10, 8 << 10, 60 << 10} {
		head := []byte("GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", size) + "\r\n\r\n")
		hello := records(message(helloOf(extension(21, make([]byte, size)))), func() int { return 100 })
		for kind, data := range map[string][]byte{"head": head, "hello": hello} {
			b.Run(fmt.Sprintf("%s/bytes=%d", kind, len(data)), func(b *testing.B) {
				var f Facts
				for b.Loop() {
					var st State
					for n := range len(data) + 1 {
						s.Sniff(&st, data[:n], &f)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(data)), "ns/byte")
			})
		}
	}
}
