package peer

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"sluice/bench/measure"
	"sluice/bench/port"
)

// Running is a started peer, or Direct.
type Running struct {
	Peer
	Site Site
	Addr netip.AddrPort // address to which clients connect
	dir  string         // directory of its files
	cmd  *exec.Cmd      // nil: Direct, or not started
	said *output        // output of the process
	over chan struct{}  // closed when the process has ended
	// notified gets the states of HAProxy's master; nil without Site.Reloads.
	notified *notified
}

// timeLimit is the time limit for a proxy to listen after its start, and to end after SIGTERM.
const timeLimit = 20 * time.Second

// Start creates a directory for the peer in dir, writes its configuration there and starts it.
// It returns when the peer accepts connections.
func Start(p Peer, s Site, dir string) (*Running, error) {
	r := &Running{Peer: p, Site: s, Addr: s.Servers[0]}
	free, err := port.Free(3)
	if err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp(dir, p.Name()+"-")
	if err != nil {
		return nil, err
	}
	// nginx's workers may run as another user.
	if err := os.Chmod(own, 0o755); err != nil {
		return nil, err
	}
	r.dir = own
	if err := r.reloadable(free[1:]); err != nil {
		return nil, err
	}
	r.cmd, err = p.Command(r.Site, free[0], own)
	if r.cmd == nil || err != nil {
		return r, err
	}
	r.Addr = free[0]
	if err := r.start(filepath.Base(own)); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(), err)
	}
	return r, nil
}

// reloadable chooses the addresses and sockets of Reloads, if the site has them.
func (r *Running) reloadable(free []netip.AddrPort) (err error) {
	if r.Site.Reloads == nil {
		return nil
	}
	own := *r.Site.Reloads
	own.Web, own.Bulk, own.Control = free[0], free[1], filepath.Join(r.dir, "control.sock")
	r.Site.Reloads = &own
	r.notified, err = listenNotified(r.dir)
	return err
}

func (r *Running) start(name string) error {
	r.said, r.over = &output{}, make(chan struct{})
	r.cmd.Stdout, r.cmd.Stderr = r.said, r.said
	// If the harness dies, the kernel ends its proxies too. An interrupt from the terminal goes
	// only to the harness, because each proxy has its own process group; the harness then stops
	// them in order.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = r.cmd.Wait() // Stop reports the state from ProcessState
		close(r.over)
	}()
	err := r.listens()
	if err == nil {
		err = r.reportsReady()
	}
	if err != nil {
		_ = r.Stop() // returns the same error, if any
	}
	return err
}

// listens waits until the proxy accepts connections.
func (r *Running) listens() error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(timeLimit)
	for {
		c, err := net.Dial("tcp", r.Addr.String())
		if err == nil {
			return c.Close()
		}
		select {
		case <-r.over:
			return fmt.Errorf("ended at its start: %s: %s", r.cmd.ProcessState, r.said)
		case <-late:
			return fmt.Errorf("does not listen on %s after %v: %s", r.Addr, timeLimit, r.said)
		case <-again.C:
		}
	}
}

// PIDs returns the running processes of the proxy, or nil for Direct.
func (r *Running) PIDs() []int {
	if r.cmd == nil {
		return nil
	}
	return measure.Tree(r.cmd.Process.Pid)
}

// Stop ends the proxy and waits until it has ended. It returns an error if the proxy had
// already ended before.
func (r *Running) Stop() error {
	if r.notified != nil {
		defer r.notified.conn.Close()
	}
	if r.cmd == nil {
		return nil
	}
	select {
	case <-r.over:
		return fmt.Errorf("%s ended by itself: %s: %s", r.Name(), r.cmd.ProcessState, r.said)
	default:
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.over:
	case <-time.After(timeLimit):
		_ = r.cmd.Process.Kill()
		<-r.over
	}
	return nil
}

// output keeps the first 4 KiB that a process prints. mu guards text.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	const enough = 4 << 10
	o.text.Write(p[:min(len(p), enough-min(enough, o.text.Len()))])
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.text.String())
}
