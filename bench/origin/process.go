package origin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"

	"sluice/bench/port"
)

// Process is a running origin. The caller of Start owns it.
type Process struct {
	Addrs
	cmd  *exec.Cmd
	hold io.Closer // its standard input; closing it ends the process
}

// Start starts a program that calls Main. It returns when the sites accept connections.
func Start(bin string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(bin, args...)}
	p.cmd.Stderr = os.Stderr
	hold, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.hold = hold
	said, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the origin: %w", err)
	}
	if err := json.NewDecoder(said).Decode(&p.Addrs); err != nil {
		return nil, errors.Join(fmt.Errorf("the origin did not say where it is: %w", err), p.Stop())
	}
	return p, nil
}

// PID returns the number of the origin's process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the origin's process and waits until it has ended.
func (p *Process) Stop() error {
	_ = p.hold.Close()
	return p.cmd.Wait()
}

// Main serves until in ends. When the sites accept connections, it writes their addresses to
// out as JSON.
func Main(in io.Reader, out io.Writer) error {
	ports, err := port.Free(4)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	go serveBulk(ln)
	at := Addrs{
		HTTP: [2]netip.AddrPort(ports[:2]), TLS: [2]netip.AddrPort(ports[2:]),
		Bulk: netip.MustParseAddrPort(ln.Addr().String()),
	}
	return serve(at, in, func() error { return json.NewEncoder(out).Encode(at) })
}

// serve runs gnet until in ends. It calls said when gnet has started.
func serve(at Addrs, in io.Reader, said func() error) error {
	var addrs []string
	for site := range 2 {
		addrs = append(addrs, "tcp://"+at.HTTP[site].String(), "tcp://"+at.TLS[site].String())
	}
	engine := make(chan gnet.Engine, 1)
	h := newHandler(at, func(e gnet.Engine) { engine <- e })
	ended := make(chan error, 1)
	go func() {
		ended <- gnet.Rotate(h, addrs, gnet.WithNumEventLoop(1), gnet.WithReuseAddr(true), gnet.WithLogger(zap.NewNop().Sugar()))
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("gnet: %w", err)
	case e := <-engine:
		if err := said(); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, in)
		_ = e.Stop(context.Background())
		return <-ended
	}
}
