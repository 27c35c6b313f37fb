package httpflow

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestFreeOfLength(t *testing.T) {
	m := counted(10)
	if n := m.Take([]byte("0123")); n != 4 || m.Free() != 6 || m.Done() {
		t.Fatalf("took %d, free %d", n, m.Free())
	}
	m.Moved(5)
	if n := m.Take([]byte("9next")); n != 1 || m.Free() != 0 || !m.Done() || m.Ended() != true {
		t.Fatalf("took %d, free %d, done %v", n, m.Free(), m.Done())
	}
	if m := counted(0); !m.Done() {
		t.Error("a body of no bytes is not done")
	}
}

// TestFreeOfChunks reads the framing byte by byte and moves the data unread.
func TestFreeOfChunks(t *testing.T) {
	m := chunked()
	for _, step := range []struct {
		framing string
		free    int64
	}{
		{"100000;x\r\n", 1 << 20}, {"\r\n7fffffffffffffff\r\n", math.MaxInt64}, {"\r\nA\r\n", 10}, {"\r\n0\r\nX: y\r\n\r\n", 0},
	} {
		if m.Free() != 0 || m.Done() {
			t.Fatalf("before %q: free %d", step.framing, m.Free())
		}
		if n := m.Take([]byte(step.framing)); n != len(step.framing) || m.Free() != step.free {
			t.Fatalf("%q: took %d, free %d, broken %v", step.framing, n, m.Free(), m.Broken())
		}
		m.Moved(step.free / 2)
		m.Moved(step.free - step.free/2)
	}
	if !m.Done() || m.Take([]byte("x")) != 0 {
		t.Error("the end was not seen")
	}
}

func TestFreeUntilTheEnd(t *testing.T) {
	m := endless()
	m.Moved(math.MaxInt64)
	if n := m.Take([]byte("abc")); n != 3 || m.Free() != math.MaxInt64 || m.Done() {
		t.Fatalf("took %d, free %d", n, m.Free())
	}
	if !m.Ended() || !m.Done() || m.Free() != 0 || m.Take([]byte("x")) != 0 {
		t.Error("the end of the connection is not the end of the body")
	}
}

func TestBrokenStays(t *testing.T) {
	m := chunked()
	if n := m.Take([]byte("5\r\nhelloX")); n != 8 || !m.Broken() || m.Done() || m.Ended() {
		t.Fatalf("took %d, broken %v", n, m.Broken())
	}
	if n := m.Take([]byte("\r\n0\r\n\r\n")); n != 0 || !m.Broken() || m.Free() != 0 {
		t.Errorf("took %d behind that", n)
	}
}

// TestChunksAtRandom: a chunked body ends at the same byte in whatever pieces it arrives, copied or
// moved unread.
func TestChunksAtRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		b, want := chunks300(r)
		m, data := chunked(), 0
		for at := 0; at < len(b); {
			piece := b[at:min(len(b), at+1+r.IntN(200))]
			if free := int(m.Free()); free > 0 && r.IntN(2) == 0 {
				n := min(free, len(piece))
				m.Moved(int64(n))
				at += n
				continue
			}
			n := m.Take(piece)
			if n < len(piece) && !m.Done() {
				t.Fatalf("%q: stopped at %d", b, at+n)
			}
			if at += n; m.Done() {
				data = at
				break
			}
		}
		if data != want {
			t.Fatalf("%q: %d bytes taken, want %d", b, data, want)
		}
	}
}

// chunks300 returns a chunked body that is followed by other bytes.
func chunks300(r *rand.Rand) (b []byte, length int) {
	const digits = "0123456789abcdef"
	for range r.IntN(8) {
		n := 1 + r.IntN(300)
		b = append(b, strings.Repeat("0", r.IntN(4))...)
		b = append(b, digits[n>>8], digits[n>>4&15], digits[n&15])
		b = append(b, []string{"", ";x", "  ", " ; a=\"b\""}[r.IntN(4)]...)
		b = append(b, "\r\n"...)
		for range n {
			b = append(b, byte(r.IntN(256)))
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, []string{"0\r\n\r\n", "000;x\r\n\r\n", "0\r\nX-Sum: 1\r\nY:\r\n\r\n"}[r.IntN(3)]...)
	return append(b, "5\r\nhello\r\n"...), len(b)
}
