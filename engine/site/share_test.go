package site

import (
	"fmt"
	"path/filepath"
	"testing"

	"sluice/engine/access"
	"sluice/pool"
)

// opened compiles and opens a site, which the test closes.
func opened(t *testing.T, log *access.Log, text string) *Site {
	t.Helper()
	s := mustCompile(t, text)
	if err := s.Open(log); err != nil {
		t.Fatal(err)
	}
	return s
}

// cookies is a configuration of two servers with cookies.
const cookies = `frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  mode http
  retries 3
  cookie SRV insert
  server s 127.0.0.1:1 cookie x
  server t 127.0.0.1:2 cookie y
`

// Both sites choose servers by the settings of the newest one. Rules and timeouts stay those of the
// own site.
func TestSitesChooseAmongTodaysServers(t *testing.T) {
	var state pool.Registry
	log := openLog(t)
	first := opened(t, log, cookies)
	if changes := first.Share(&state); len(changes) != 0 {
		t.Errorf("changes %v of the first site", changes)
	}
	second := opened(t, log, `frontend f
  bind 127.0.0.1:1
  default_backend b
backend new
  server n 127.0.0.1:1
backend b
  mode http
  retries 5
  option persist
  timeout server 7s
  cookie OTHER insert
  server s 127.0.0.1:3 cookie z check
  server u 127.0.0.1:2 cookie y
`)
	if r := first.Backends[0].Backend.Conf().Retries; r != 3 {
		t.Errorf("retries %d before Share", r)
	}
	got := fmt.Sprint(second.Share(&state))
	want := "[backend b: retries 3 is now 5 backend b: option persist off is now on server b/u: added with address 127.0.0.1:2 server b/t: removed " +
		"server b/s: address 127.0.0.1:1 is now 127.0.0.1:3 server b/s: cookie x is now z server b/s: check off is now on]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	old, now := first.Backends[0], second.Backends[1]
	if old.Backend != now.Backend || old.Conf.Retries != 3 || old.Backend.Conf().Retries != 5 || old.ServerTimeout == now.ServerTimeout || old.ID() != 4 {
		t.Errorf("number %d, retries %d and %d", old.ID(), old.Conf.Retries, old.Backend.Conf().Retries)
	}
	old.Find("s").SetAdmin(pool.AdminMaint)
	for _, b := range []*Backend{old, now} {
		for value, want := range map[string]string{"x": "-1I", "y": "2V", "z": "0D"} {
			slot, letter := b.Lookup([]byte(value))
			if got := fmt.Sprintf("%d%c", slot, letter); got != want {
				t.Errorf("cookie %s: %s, want %s", value, got, want)
			}
		}
	}
	first.Close()
	second.Close()
}

// TestSitesShareTheirState: a new site uses the counters, limits and backends of the site before it.
// They last until the last of the sites is closed.
func TestSitesShareTheirState(t *testing.T) {
	var state pool.Registry
	log, path := openLog(t), filepath.Join(t.TempDir(), "log")
	open := func() *Site { return opened(t, log, logging(path)) }
	first, second := open(), open()
	compiled := second.Backends[0].Backend
	first.Share(&state)
	if second.Frontends[0].Frontend != nil || second.Backends[0].Backend != compiled {
		t.Error("a site that is only open has changed")
	}
	second.Share(&state)
	if second.Frontends[0].Frontend != first.Frontends[0].Frontend || second.Backends[0].Backend != first.Backends[0].Backend || first.Bind("a") != second.Bind("a") {
		t.Error("the second site has other state")
	}
	if second.Backends[0].Conf == first.Backends[0].Conf {
		t.Error("the second site has the settings of the first")
	}
	first.Close()
	third := open()
	third.Share(&state)
	if third.Backends[0].Backend != second.Backends[0].Backend || third.Bind("a") != second.Bind("a") {
		t.Error("state was forgotten while a site used it")
	}
	backend := third.Backends[0].Backend
	second.Close()
	third.Close()
	fourth := open()
	fourth.Share(&state)
	if fourth.Backends[0].Backend == backend {
		t.Error("state of closed sites is used again")
	}
	fourth.Close()
}
