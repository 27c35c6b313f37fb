package reactor

import (
	"math"
	"testing"
)

func TestTokenKeepsItsParts(t *testing.T) {
	for _, session := range []int32{0, 1, 2, 12345, 1 << 22, MaxSession - 1, MaxSession} {
		for _, side := range []uint8{0, 1} {
			for _, serial := range []uint32{0, 1, 255, 256, 1<<31 - 1, 1 << 31, math.MaxUint32} {
				want := Token{Session: session, Side: side, Serial: serial}
				ev := want.owner().event(7)
				if o := ownerOf(&ev); o.kind() != socket || o.token() != want || ev.Events != 7 {
					t.Errorf("%+v has kind %d, token %+v, events %d", want, o.kind(), o.token(), ev.Events)
				}
			}
		}
	}
}

func TestOwnerKeepsKindAndNumber(t *testing.T) {
	for _, k := range []kind{bell, timer, listener} {
		for _, number := range []uint32{0, 1, 2, 65535, 1<<30 - 1} {
			ev := k.owner(number).event(7)
			if o := ownerOf(&ev); o.kind() != k || o.number() != number || ev.Events != 7 {
				t.Errorf("kind %d, number %d became kind %d, number %d, events %d", k, number, o.kind(), o.number(), ev.Events)
			}
		}
	}
}
