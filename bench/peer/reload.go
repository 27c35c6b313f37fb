package peer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Reloads is the part of a Site whose configuration is replaced while the proxy runs. The proxy
// then has two more frontends: web in mode http, with site A, and bulk in mode tcp.
type Reloads struct {
	Origin netip.AddrPort // server of frontend bulk
	Web    netip.AddrPort // address of frontend web; chosen by Start
	Bulk   netip.AddrPort // address of frontend bulk; chosen by Start
	// Control is the path of the socket for commands: Sluice's stats socket, or the socket of
	// HAProxy's master. Start chooses it.
	Control string
	// Generation is the number of the configuration. Connections that ask for the host
	// GenerationName(Generation) go to site B, and to site A under all other configurations.
	Generation int
	Broken     bool // the last line of the file is an error
}

// GenerationName returns the host name that only this configuration routes to site B.
func GenerationName(generation int) string { return fmt.Sprintf("g%05d.site.test", generation) }

// Reloaded is the outcome of a reload.
type Reloaded struct {
	Began    time.Time     // when it was requested
	Took     time.Duration // from the request until the proxy reported the end
	Accepted bool          // the proxy uses the new configuration
	Said     string        // report of the proxy
}

// Reload writes a new configuration, requests a reload, and returns when the proxy reports its
// end. Sluice reports it in the answer to the command reload. HAProxy's master gets SIGUSR2 and
// reports READY=1, as to systemd. The caller must not call Reload from two goroutines at once.
func (r *Running) Reload(generation int, broken bool) (Reloaded, error) {
	h, ok := r.Peer.(*HAProxy)
	if !ok || r.Site.Reloads == nil {
		return Reloaded{}, fmt.Errorf("%s was not started with reloads", r.Name())
	}
	s, changed := r.Site, *r.Site.Reloads
	changed.Generation, changed.Broken, s.Reloads = generation, broken, &changed
	if _, err := write(r.dir, configName, h.config(s, r.Addr, "")); err != nil {
		return Reloaded{}, err
	}
	if h.Sluice {
		return byCommand(changed.Control)
	}
	return r.bySignal(changed.Control)
}

// reportsReady waits until HAProxy's master reports READY=1. Before that, it loses the signal for a
// reload. Its worker accepts connections earlier.
func (r *Running) reportsReady() error {
	if h, ok := r.Peer.(*HAProxy); r.notified == nil || !ok || h.Sluice {
		return nil
	}
	return r.notified.await("READY=1")
}

// byCommand sends reload to a stats socket.
func byCommand(socket string) (Reloaded, error) {
	began := time.Now()
	said, err := command(socket, "reload")
	done := Reloaded{Began: began, Took: time.Since(began), Said: said, Accepted: strings.HasPrefix(said, "Success=1\n")}
	if err == nil && !done.Accepted && !strings.HasPrefix(said, "Success=0\n") {
		err = fmt.Errorf("answer %.200q to reload, wanted Success=", said)
	}
	return done, err
}

// bySignal sends SIGUSR2 to HAProxy's master.
func (r *Running) bySignal(socket string) (Reloaded, error) {
	if err := r.notified.drop(); err != nil {
		return Reloaded{}, err
	}
	done := Reloaded{Began: time.Now()}
	if err := r.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		return done, err
	}
	for _, state := range []string{"RELOADING=1", "READY=1"} {
		if err := r.notified.await(state); err != nil {
			return done, err
		}
	}
	done.Took = time.Since(done.Began)
	var err error
	if done.Said, err = command(socket, "show proc"); err != nil {
		return done, err
	}
	done.Accepted, err = accepted(done.Said)
	return done, err
}

var failedReloads = regexp.MustCompile(`(?m)^\d+\s+master\s+\d+\s+\[failed: (\d+)\]`)

// accepted reads the answer to show proc. HAProxy's master counts the reloads that failed since
// the last one that succeeded.
func accepted(said string) (bool, error) {
	m := failedReloads.FindStringSubmatch(said)
	if m == nil {
		return false, fmt.Errorf("answer %.200q to show proc, wanted [failed: N]", said)
	}
	return m[1] == "0", nil
}

// command sends one command to a socket and returns the answer.
func command(socket, text string) (string, error) {
	c, err := net.DialTimeout("unix", socket, timeLimit)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(timeLimit)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		return "", fmt.Errorf("%s: %w", text, err)
	}
	// HAProxy's master waits for another command after the answer, unless no more can come.
	if u, ok := c.(*net.UnixConn); ok {
		if err := u.CloseWrite(); err != nil {
			return "", fmt.Errorf("%s: %w", text, err)
		}
	}
	said, err := io.ReadAll(c)
	if err != nil {
		return "", fmt.Errorf("answer to %s: %w", text, err)
	}
	return string(said), nil
}

// notified is the socket to which a process sends its state, as to systemd (sd_notify(3)).
type notified struct{ conn *net.UnixConn }

// notifySocket is the name of the socket in the directory of a peer.
const notifySocket = "notify.sock"

func listenNotified(dir string) (*notified, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, notifySocket)})
	if err != nil {
		return nil, fmt.Errorf("socket for states: %w", err)
	}
	return &notified{conn}, nil
}

// drop discards the states that have come.
func (n *notified) drop() error {
	for buffer := make([]byte, 4<<10); ; {
		if err := n.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		if _, err := n.conn.Read(buffer); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return fmt.Errorf("socket for states: %w", err)
		}
	}
}

// await returns when a state has come, and discards other states.
func (n *notified) await(state string) error {
	if err := n.conn.SetReadDeadline(time.Now().Add(timeLimit)); err != nil {
		return err
	}
	for buffer := make([]byte, 4<<10); ; {
		got, err := n.conn.Read(buffer)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", state, err)
		}
		if strings.HasPrefix(string(buffer[:got]), state) {
			return nil
		}
	}
}
