//go:build !simulation

package sock

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// listenAt opens one listening socket. It returns its address, too.
func listenAt(t *testing.T, at conf.Address) (fd int, own netip.AddrPort) {
	t.Helper()
	fds := listening(t, &conf.Frontend{}, &conf.Bind{Address: at, UID: -1, GID: -1}, 1)
	var a Addr
	Local(fds[0], &a)
	return fds[0], a.AddrPort()
}

func host(ip string, port uint16) conf.Address {
	return conf.Address{IP: netip.MustParseAddr(ip), Port: port}
}

// connects connects to an address within a short time. It returns nil if this fails.
func connects(t *testing.T, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", to.String(), 300*time.Millisecond)
	if err == nil {
		t.Cleanup(func() { c.Close() })
		return c
	}
	if ne, ok := errors.AsType[net.Error](err); !errors.Is(err, unix.ECONNREFUSED) && !(ok && ne.Timeout()) {
		t.Fatal(err)
	}
	return nil
}

// handshaking returns a client of a listening socket whose handshake is under way until it sends a
// byte: with TCP_DEFER_ACCEPT the kernel ignores the last ACK without data.
func handshaking(t *testing.T, fd int, own netip.AddrPort) net.Conn {
	t.Helper()
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30); err != nil {
		t.Fatal(err)
	}
	c := connects(t, own)
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 0); err != nil || c == nil {
		t.Fatal(err, c)
	}
	if n, _ := Queued(fd); n != 0 {
		t.Fatal("the handshake is over")
	}
	return c
}

// accepts takes the clients out of a socket's queue. They must be these, in any order.
func accepts(t *testing.T, fd int, want ...net.Conn) {
	t.Helper()
	var got, all []string
	for _, c := range want {
		all = append(all, c.LocalAddr().String())
	}
	for {
		var peer Addr
		conn, e := Accept(fd, &peer)
		if e != 0 {
			break
		}
		Close(conn)
		got = append(got, peer.AddrPort().String())
	}
	slices.Sort(got)
	slices.Sort(all)
	if !slices.Equal(got, all) {
		t.Errorf("accepted %v; want %v", got, all)
	}
}

// With both ways to keep new clients away, the clients in the queue and in the handshake stay.
func TestRemovedSocketKeepsItsClients(t *testing.T) {
	for name, away := range map[string]func(int) Errno{"PassNew": PassNew, "DropNew": DropNew} {
		for _, ip := range []string{"127.0.0.1", "::1"} {
			t.Run(name+" "+ip, func(t *testing.T) {
				fd, own := listenAt(t, host(ip, 0))
				early := handshaking(t, fd, own)
				waiting := connects(t, own)
				if e := away(fd); e != 0 {
					t.Fatal(e)
				}
				if connects(t, own) != nil {
					t.Error("a new client is connected")
				}
				_, _ = early.Write([]byte("x"))
				wait(t, "the end of the handshake", func() bool { n, _ := Queued(fd); return n == 2 })
				accepts(t, fd, waiting, early)
			})
		}
	}
}

func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// After PassNew, new clients get another socket: one on the wildcard, or one that is bound to the
// same address later. Without one they are refused at once.
func TestPassNewGivesClientsToOthers(t *testing.T) {
	fd, own := listenAt(t, host("127.0.0.1", 0))
	if e := PassNew(fd); e != 0 {
		t.Fatal(e)
	}
	if _, err := net.Dial("tcp", own.String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("nobody else listens: %v; want ECONNREFUSED", err)
	}
	for _, ip := range []string{"0.0.0.0", "127.0.0.1"} {
		other, _ := listenAt(t, host(ip, own.Port()))
		var clients []net.Conn
		for range 20 {
			if c := connects(t, own); c != nil {
				clients = append(clients, c)
			}
		}
		if len(clients) != 20 {
			t.Errorf("%d of 20 clients were connected", len(clients))
		}
		accepts(t, other, clients...)
	}
}

// A UNIX socket that refuses new clients keeps those in its queue.
func TestRefuseNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, _ := listenAt(t, conf.Address{Net: conf.NetUnix, Path: path})
	waiting, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if e := RefuseNew(fd); e != 0 {
		t.Fatal(e)
	}
	if _, err := net.Dial("unix", path); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a new client: %v; want ECONNREFUSED", err)
	}
	var peer Addr
	got, e := Accept(fd, &peer)
	if e != 0 {
		t.Fatal(e)
	}
	Close(got)
	if _, e := Accept(fd, &peer); e != unix.EAGAIN {
		t.Errorf("at the end of the queue: %v; want EAGAIN", e)
	}
}

// The kernel tells the listening sockets of a port, of both families.
func TestListeningOn(t *testing.T) {
	wide, own := listenAt(t, conf.Address{IP: netip.IPv6Unspecified(), V6Only: true})
	narrow, _ := listenAt(t, host("127.0.0.1", own.Port()))
	listenAt(t, host("127.0.0.1", 0))
	got, err := ListeningOn(own.Port())
	if err != nil {
		t.Fatal(err)
	}
	var want []Listening
	for fd, one := range map[int]Listening{
		wide:   {Addr: own, V6Only: true},
		narrow: {Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), own.Port())},
	} {
		one.Inode, _ = Inode(fd)
		want = append(want, one)
	}
	less := func(a, b Listening) int { return a.Addr.Compare(b.Addr) }
	slices.SortFunc(got, less)
	slices.SortFunc(want, less)
	if !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

// A file that another process has put in the place of ours stays.
func TestUnlinkLeavesForeignFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listenAt(t, conf.Address{Net: conf.NetUnix, Path: path})
	mine := FileAt(path)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	listenAt(t, conf.Address{Net: conf.NetUnix, Path: path})
	if err := mine.Unlink(path); err != nil || FileAt(path).info == nil {
		t.Errorf("the file of another socket was removed: %v", err)
	}
	if err := FileAt(path).Unlink(path); err != nil || FileAt(path).info != nil {
		t.Errorf("our file was not removed: %v", err)
	}
	if err := mine.Unlink(path); err != nil {
		t.Errorf("no file is there: %v", err)
	}
}

// Waiting counts the clients in the queue of listening sockets of all kinds.
func TestWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	local, _ := listenAt(t, conf.Address{Net: conf.NetUnix, Path: path})
	remote, own := listenAt(t, host("127.0.0.1", 0))
	for n := range 4 {
		for _, fd := range []int{local, remote} {
			if got, known := Waiting(fd); got != n || !known {
				t.Errorf("%d clients wait, known: %v; want %d", got, known, n)
			}
		}
		for network, to := range map[string]string{"unix": path, "tcp": own.String()} {
			c, err := net.Dial(network, to)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
	}
}
