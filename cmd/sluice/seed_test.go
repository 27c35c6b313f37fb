package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// seedFile is the configuration that mode http was made for: two sites of a
// haproxy.cfg of long ago.
const seedFile = "../../../shared/examples/seed.cfg"

// TestSeedRuns starts the seed unchanged, as root: two sites from port 80.
func TestSeedRuns(t *testing.T) {
	text, err := os.ReadFile(seedFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the seed lies beside the repository, in ../shared/examples, and is not there")
	}
	if !ownMachine(t) {
		return
	}
	apps := []*application{serveSite(t, "urlencode", 8181), serveSite(t, "wedding", 8081)}
	log := syslog(t)
	t.Run("as it is", func(t *testing.T) {
		said, pid := runDaemon(t, seedFile)
		isJailed(t, workerOf(t, pid), 200, "/var/empty")
		for _, backend := range []string{"urlencode", "wedding"} {
			if want := "'option httpchk' in backend '" + backend + "' checks nothing: no server has 'check'"; !strings.Contains(said, want) {
				t.Errorf("the start does not say %q:\n%s", want, said)
			}
		}
		seedSites.check(t)
		log.hears(t, `http-in urlencode/Local \d+/\d+/\d+/\d+/\d+ 200 \d+ - - --NI \d+/\d+/\d+/\d+/0 0/0 "GET /seen HTTP/1.1"$`)
		log.hears(t, `http-in wedding/Local \d+/\d+/\d+/\d+/\d+ 200 \d+ - - --VN \d+/\d+/\d+/\d+/0 0/0 "GET /seen HTTP/1.1"$`)
		stop(t, pid)
		if apps[0].wasAsked("HEAD /check.txt HTTP/1.0") {
			t.Error("a server without 'check' was checked")
		}
	})
	t.Run("reloaded", func(t *testing.T) { reloadSeed(t, string(text), log) })
	t.Run("with check", func(t *testing.T) {
		checked := filepath.Join(t.TempDir(), "checked.cfg")
		text := strings.ReplaceAll(string(text), "cookie Local", "cookie Local check")
		if err := os.WriteFile(checked, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, pid := runDaemon(t, checked)
		for _, app := range apps {
			waitFor(t, "the check", func() bool { return app.wasAsked("HEAD /check.txt HTTP/1.0") })
		}
		seedSites.check(t)
		apps[1].end()
		log.hears(t, `Server wedding/Local is DOWN`)
		if resp, _ := seedSites.get(t, "wedding", "/seen", ""); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a site that is down answers %s", resp.Status)
		}
		if resp, _ := seedSites.get(t, "urlencode", "/seen", ""); resp.StatusCode != http.StatusOK {
			t.Errorf("the other site answers %s", resp.Status)
		}
		stop(t, pid)
	})
}

// reloadSeed reloads the seed by its pid file: with a file and a list that uid 200 cannot read, one
// server with a check, and one more port below 1024.
func reloadSeed(t *testing.T, text string, log *syslogd) {
	t.Helper()
	dir := t.TempDir()
	path, pidPath, list := filepath.Join(dir, "seed.cfg"), filepath.Join(dir, "pid"), filepath.Join(dir, "list")
	for name, content := range map[string]string{path: strings.Replace(text, "daemon", "daemon\n    pidfile "+pidPath, 1), list: ".of-a-list.test\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, pid := runDaemon(t, path)
	worker := workerOf(t, pid)
	isDetached(t, pid)
	rewrite(t, path, "bind *:80", "bind *:80\n    bind 127.0.0.1:81\n    acl is_wedding hdr_end(host) -f "+list)
	rewrite(t, path, "127.0.0.1:8081 cookie Local", "127.0.0.1:8081 cookie Local check")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(pidPath)
	if err != nil || strings.TrimSpace(string(b)) != strconv.Itoa(pid) {
		t.Fatalf("the pid file has %q, %v, want %d", b, err, pid)
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	log.hears(t, `SIGHUP: reload of `+path)
	log.hears(t, `frontend http-in: bind 127.0.0.1:81 added`)
	log.hears(t, `reloaded: generation 2, 3 changes, in `)
	seedSites.check(t)
	second := seedSites
	second.address = "127.0.0.1:81"
	second.check(t)
	if _, page := seedSites.get(t, "www.of-a-list.test", "/seen", ""); !strings.Contains(page, "site: wedding") {
		t.Errorf("a name of the list leads to\n%s", page)
	}
	isJailed(t, worker, 200, "/var/empty")
	stop(t, pid)
	if _, err := os.Stat(pidPath); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pid file is there: %v", err)
	}
	if !gone(worker) {
		t.Error("the worker is still there")
	}
}

// TestExampleOfWSGI runs examples/wsgi in both formats without root.
func TestExampleOfWSGI(t *testing.T) {
	if !ownMachine(t) {
		return
	}
	apps := []*application{serveSite(t, "urlencode", 8181), serveSite(t, "wedding", 8081)}
	sites := webSites{address: "127.0.0.1:8080", cookie: "local",
		hosts: map[string]string{"urlencode.test": "urlencode", "WEDDING.test": "wedding", "other.test": "urlencode"}}
	for _, file := range []string{"sites.cfg", "sites.toml"} {
		t.Run(file, func(t *testing.T) {
			p, closeSocket := asNobody(t, "../../examples/wsgi/"+file)
			p.begin(t, closeSocket)
			sites.check(t)
			for _, app := range apps {
				waitFor(t, "the check", func() bool { return app.wasAsked("HEAD /check.txt HTTP/1.0") })
			}
			p.signal(t, syscall.SIGTERM)
			p.endsWell(t)
		})
	}
}

// runDaemon starts a configuration that says daemon. It returns what the start
// says, and the daemon's pid.
func runDaemon(t *testing.T, file string) (said string, pid int) {
	t.Helper()
	p, closeSocket := command(t, "run", "-f", file)
	p.ExtraFiles = nil
	closeSocket()
	if err := p.Run(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	ready := regexp.MustCompile(`ready, pid (\d+)`).FindStringSubmatch(p.stderr.String())
	if ready == nil {
		t.Fatalf("no 'ready' in\n%s", p.stderr.String())
	}
	pid, _ = strconv.Atoi(ready[1])
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return p.stderr.String(), pid
}

func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the daemon's end", func() bool { return gone(pid) })
}

// syslogd takes the lines that come to the usual port.
type syslogd struct {
	net.PacketConn
	lines []string // so far
}

func syslog(t *testing.T) *syslogd {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:514")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &syslogd{PacketConn: c}
}

// hears waits for a line of local0 by sluice, unless it has come before.
func (l *syslogd) hears(t *testing.T, pattern string) {
	t.Helper()
	wanted := regexp.MustCompile(`^<1(?:2[89]|3[0-5])>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d sluice\[\d+\]: .*` + pattern)
	if err := l.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 64<<10); !slices.ContainsFunc(l.lines, wanted.MatchString); {
		n, _, err := l.ReadFrom(b)
		if err != nil {
			t.Fatalf("no line %s: %v\n%s", pattern, err, strings.Join(l.lines, "\n"))
		}
		l.lines = append(l.lines, strings.TrimSuffix(string(b[:n]), "\n"))
	}
}

// webSites are the two sites behind one address.
type webSites struct {
	address string
	cookie  string            // the servers' value
	hosts   map[string]string // Host to site
}

var seedSites = webSites{address: "127.0.0.1:80", cookie: "Local", hosts: map[string]string{
	"urlenco.de": "urlencode", "www.urlenco.de": "urlencode",
	"erinandtylerswedding.com": "wedding", "www.ErinAndTylersWedding.com": "wedding",
	"other.test": "urlencode",
}}

// check visits the sites as a browser does.
func (w webSites) check(t *testing.T) {
	t.Helper()
	for host, site := range w.hosts {
		resp, page := w.get(t, host, "/seen", "")
		wantLines(t, page, "site: "+site, "GET /seen", "host: "+host, "x-forwarded-for: 127.0.0.1", "connection: close")
		if got, want := resp.Header["Set-Cookie"], []string{"SERVERID=" + w.cookie + "; path=/"}; !slices.Equal(got, want) {
			t.Errorf("%s: first visit: set-cookie %q; want %q", host, got, want)
		}
		resp, page = w.get(t, host, "/seen", "SERVERID="+w.cookie+"; other=1")
		wantLines(t, page, "site: "+site, "cookie: other=1", "x-forwarded-for: 127.0.0.1", "connection: close")
		if got := resp.Header["Set-Cookie"]; got != nil {
			t.Errorf("%s: second visit: set-cookie %q; want none", host, got)
		}
	}
	resp, page := w.post(t, "a b&c")
	if !strings.Contains(page, "<pre>a%20b%26c</pre>") || resp.Header.Get("Cache-Control") != "" {
		t.Errorf("the form gives %v %q", resp.Header, page)
	}
	if resp, _ = w.get(t, w.host("urlencode"), "/", ""); resp.Header.Get("Cache-Control") != "private" {
		t.Errorf("a page with a new cookie that a cache would keep: %v", resp.Header)
	}
}

func (w webSites) host(site string) string {
	for host, of := range w.hosts {
		if of == site {
			return host
		}
	}
	return site
}

// get asks a host, or any of a site, for a page.
func (w webSites) get(t *testing.T, host, path, cookie string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = w.host(host)
	if w.hosts[host] != "" {
		r.Host = host
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return w.ask(t, r)
}

// post sends the form of one of the sites.
func (w webSites) post(t *testing.T, text string) (*http.Response, string) {
	t.Helper()
	form := strings.NewReader(url.Values{"text": {text}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.address+"/", form)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = w.host("urlencode")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.ask(t, r)
}

func (w webSites) ask(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	resp, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(page)
}

// wantLines checks that a page has these lines, and says nothing of SERVERID.
func wantLines(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+page, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, page)
		}
	}
	if strings.Contains(page, "SERVERID") {
		t.Errorf("the application sees the balancer's cookie:\n%s", page)
	}
}
