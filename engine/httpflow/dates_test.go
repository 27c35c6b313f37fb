package httpflow

import (
	"fmt"
	"strings"
	"testing"

	"sluice/conf"
)

// TestDates expects the same handling of dates as in HAProxy 2.6.
func TestDates(t *testing.T) {
	at := func(s int64) string { return string(appendDate([]byte("|"), uint32(s>>2))) }
	fresh := at(now + 3)
	for _, test := range []struct {
		name    string
		cookie  conf.Cookie
		sent    string
		given   string // the dates in the new cookie; "-": no cookie is set
		letters string
	}{
		{"idle, new", idle, "", fresh, "NI"},
		{"idle, no date", idle, "S=s1", fresh, "VU"},
		{"idle, renewed", idle, "S=s1" + at(now-30), fresh, "VU"},
		{"idle, expired", idle, "S=s1" + at(now-70), fresh, "EI"},
		{"idle, a life not asked for", idle, "S=s1" + at(now) + at(now-100), fresh, "VU"},
		{"life, new", life, "", fresh + fresh, "NI"},
		{"life, no date", life, "S=s1", fresh + fresh, "VU"},
		{"life, one date", life, "S=s1" + at(now), fresh + fresh, "VU"},
		{"life, the first date stays", life, "S=s1" + at(now-4) + at(now-32), fresh + at(now-32), "VU"},
		{"life, over", life, "S=s1" + at(now) + at(now-100), fresh + fresh, "OI"},
		{"both, over", both, "S=s1" + at(now-70) + at(now-4000), fresh + fresh, "OI"},
		{"both, a little ahead", both, "S=s1" + at(now+1000) + at(now+1000), "-", "VN"},
		{"both, far ahead", both, "S=s1" + at(now+90000), fresh + fresh, "EI"},
		{"both, life far ahead", both, "S=s1" + at(now) + at(now+90000), fresh + fresh, "OI"},
		{"both, short date", both, "S=s1|AAAA", fresh + fresh, "VU"},
		{"both, no digits", both, "S=s1|!!!!!|!!!!!", fresh + fresh, "VU"},
		{"both, text behind", both, "S=s1" + at(now-4) + at(now-32) + "zz", fresh + at(now-32), "VU"},
		{"neither, dates not asked for", insert, "S=s1" + at(now-4) + at(now-4), "", "VU"},
		{"neither, no date", insert, "S=s1|x", "-", "VN"},
	} {
		_, got, letters := serve(t, NewCookie(&test.cookie), lines("GET / HTTP/1.1", "Host: a", "Cookie: "+test.sent), simple, "s1")
		want := fmt.Sprintf("set-cookie: S=s1%s; path=/\r\n", test.given)
		if strings.Contains(got, want) == (test.given == "-") || letters != test.letters {
			t.Errorf("%s: %q, letters %s; want %q, %s", test.name, got, letters, want, test.letters)
		}
	}
}

// TestDateText: a date is written as HAProxy writes it.
func TestDateText(t *testing.T) {
	if got := string(appendDate(nil, 1795372668>>2)); got != "awM2f" {
		t.Errorf("got %s", got)
	}
	if got := date([]byte("awM2f|x")); got != 1795372668 {
		t.Errorf("got %d", got)
	}
}

func TestCacheable(t *testing.T) {
	for fields, want := range map[string]bool{
		"":                                    false,
		`ETag: "x"`:                           true,
		"Last-Modified: x":                    true,
		"Expires: x":                          true,
		"Cache-Control: max-age=3":            true,
		"Cache-Control: s-maxage=3":           true,
		"Cache-Control: max-age=0|ETag: x":    false,
		"Cache-Control: s-maxage=0|ETag: x":   false,
		"Cache-Control: public":               false,
		"Cache-Control: private|ETag: x":      false,
		"ETag: x|Cache-Control: no-store":     false,
		"ETag: x|Cache-Control: a,no-cache":   false,
		`Cache-Control: no-cache="a"|ETag: x`: true,
		"Pragma: no-cache|ETag: x":            false,
		"Pragma: x|ETag: x":                   true,
	} {
		x, _ := asked(t, get11)
		if h := replied(t, x, "HTTP/1.1 200 OK"+separated(fields)+"\r\n\r\n"); cacheable(h) != want {
			t.Errorf("%s: %v, want %v", fields, !want, want)
		}
	}
	for status, want := range map[string]bool{"200": true, "302": false, "404": true, "500": false} {
		x, _ := asked(t, get11)
		if h := replied(t, x, "HTTP/1.1 "+status+" X\r\nETag: x\r\n\r\n"); cacheable(h) != want {
			t.Errorf("%s: %v, want %v", status, !want, want)
		}
	}
}
