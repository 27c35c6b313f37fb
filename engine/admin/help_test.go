package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"sluice/conf"
	"sluice/pool"
	"sluice/pool/stat"
)

// sample returns a small site: an http frontend, a tcp `listen` and a backend. One server of the
// backend is down.
func sample(t *testing.T) *View {
	t.Helper()
	web := backend(t, 3, &conf.Backend{Name: "web", Mode: conf.HTTP, Cookie: &conf.Cookie{Name: "SRV"}, Servers: []*conf.Server{
		{Name: "s1", Weight: 2, Cookie: "c,1"},
		{Name: "s2", Weight: 1, Backup: true, Check: true, Inter: time.Second, Rise: 2, Fall: 3},
		{Name: "s3", Weight: 1, Disabled: true},
	}})
	db := backend(t, 4, &conf.Backend{Name: "db", Listen: true, Servers: []*conf.Server{{Name: "d1", Weight: 1, Address: conf.Address{Net: conf.NetUnix, Path: "/run/db"}}}})
	v := &View{
		Process: stat.Info{
			Version: "1.2.3", Released: "2026/01/02", Threads: 2, UlimitN: 4096, MaxSock: 4000, MaxConn: 1000, MaxPipes: 7, Listeners: 2,
			Stopping: true, Counts: new(stat.Process),
		},
		Frontends: []Frontend{
			{ID: 2, Conf: &conf.Frontend{Name: "www", Mode: conf.HTTP}, MaxConn: 500, Stat: new(stat.Proxy)},
			{ID: 4, Conf: &conf.Frontend{Name: "db"}, MaxConn: 1000, Stat: new(stat.Proxy)},
		},
		Backends: []*pool.Backend{web, db},
	}
	return v
}

func backend(t *testing.T, id int, c *conf.Backend) *pool.Backend {
	t.Helper()
	for _, s := range c.Servers {
		if s.Address.Net == conf.NetTCP {
			s.Address = conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 8080}
		}
	}
	b, ps := pool.New(id, c, pool.Means{})
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

// options shows v. Two configurations are in use, and a reload succeeds unless it is a dry run.
func options(v *View, timeout time.Duration) Options {
	return Options{
		View:    func() *View { return v },
		Timeout: func() time.Duration { return timeout },
		Generations: func(context.Context) ([]Generation, error) {
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			return []Generation{{1, at, 12, false}, {7, at.Add(time.Hour), 3456, true}}, nil
		},
		Reload: func(_ context.Context, dryRun bool) Result {
			if dryRun {
				return Result{Messages: []string{"web.cfg:3: error: no", "not reloaded"}}
			}
			return Result{OK: true, Messages: []string{"backend b: server s removed", "reloaded"}}
		},
	}
}

// start serves v on a UNIX socket until the test ends.
func start(t *testing.T, v *View, timeout time.Duration) (path string) {
	t.Helper()
	return startAt(t, "operator", options(v, timeout))
}

// startAt serves a UNIX socket of this level until the test ends.
func startAt(t *testing.T, level string, o Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	ln, err := Listen(conf.StatsSocket{Address: conf.Address{Net: conf.NetUnix, Path: path}, UID: -1, GID: -1, Level: level})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- Serve(ctx, ln, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return path
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// ask sends text and returns all bytes until the server closes the connection.
func ask(t *testing.T, path, text string) string {
	t.Helper()
	conn := dial(t, path)
	_, err := io.WriteString(conn, text)
	got, err2 := io.ReadAll(conn)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return string(got)
}
