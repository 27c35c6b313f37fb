package actor

import (
	"math/rand/v2"
	"testing"
)

// Bytes that are stamped in one piece are found right in other pieces, and every change is found
// at its place.
func TestStamp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]byte, 1000)
	s := StreamOf(7, true)
	Stamp(all, s, 0)
	for range 10_000 {
		from := r.IntN(len(all))
		part := all[from : from+r.IntN(len(all)-from)]
		again := make([]byte, len(part))
		Stamp(again, s, from)
		if n := Check(part, s, from); n != len(part) || string(part) != string(again) {
			t.Fatalf("%d bytes from %d: %d are right", len(part), from, n)
		}
		if len(part) == 0 {
			continue
		}
		at := r.IntN(len(part))
		again[at] ^= byte(1 + r.IntN(255))
		if n := Check(again, s, from); n != at {
			t.Fatalf("byte %d from %d was changed: %d are right", at, from, n)
		}
	}
}

// Bytes tell which stream and offset they belong to.
func TestRecognise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		stream, at := Stream(2+r.IntN(1000)), r.IntN(1_000_000)
		b := make([]byte, 2*word)
		Stamp(b, stream, at)
		if s, i, ok := Recognise(b); !ok || s != stream || i != at {
			t.Fatalf("%v from %d: recognised %v from %d, %t", stream, at, s, i, ok)
		}
	}
	wrong := 0
	for range 100_000 {
		b := make([]byte, 2*word)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if _, _, ok := Recognise(b); ok {
			wrong++
		}
	}
	if wrong > 5 {
		t.Errorf("%d of 100000 random bytes are recognised", wrong)
	}
}

func BenchmarkStamp(b *testing.B) {
	all := make([]byte, 4096)
	b.SetBytes(int64(len(all)))
	for i := range b.N {
		Stamp(all, 77, i*len(all))
	}
}

func BenchmarkCheck(b *testing.B) {
	all := make([]byte, 4096)
	Stamp(all, 77, 3)
	b.SetBytes(int64(len(all)))
	for range b.N {
		if Check(all, 77, 3) != len(all) {
			b.Fatal("wrong")
		}
	}
}
