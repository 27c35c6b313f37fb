package httpflow

import (
	"testing"

	"sluice/conf"
)

func TestCaptureHeader(t *testing.T) {
	_, h := asked(t, lines("GET / HTTP/1.1", "Host: a", "X-C: first", "x-c: the last", "X-D:"))
	for name, want := range map[string]string{"X-C": "the l", "host": "a", "X-D": "", "X-E": ""} {
		if got := CaptureHeader(h, &conf.Capture{Name: name, Len: 5}); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCaptureCookie(t *testing.T) {
	_, h := asked(t, lines("GET / HTTP/1.1", "Host: a", "Cookie: x=y; SIDX=1", "Cookie: SID=1234567890; SID=2"))
	for name, want := range map[string]string{"SID": "SIDX=1", "SID=": "SID=12345", "SI": "SIDX=1", "sid": "", "y": "", "SIDXY": ""} {
		if got := CaptureCookie(h, &conf.Capture{Name: name, Len: 9}); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	x, _ := asked(t, get11)
	answer := replied(t, x, ok200+"Set-Cookie: a=b; SID=no\r\nSet-Cookie: SID=yes; path=/\r\n\r\n")
	if got := CaptureCookie(answer, &conf.Capture{Name: "SID", Len: 9}); string(got) != "SID=yes" {
		t.Errorf("%q", got)
	}
}
