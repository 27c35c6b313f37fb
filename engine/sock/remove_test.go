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
	fds, err := Listen(&conf.Frontend{}, &conf.Bind{Address: at, UID: -1, GID: -1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(fds[0]) })
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
	if !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return nil
}

func isFiltered(fd int) bool {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_GET_FILTER)
	return err == nil && n > 0
}

// A socket that drops SYN keeps the clients in its queue. The connections that it accepts then have
// no filter after Unfilter.
func TestDropNew(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			fd, own := listenAt(t, host(ip, 0))
			waiting := connects(t, own)
			if waiting == nil {
				t.Fatal("not connected")
			}
			if e := DropNew(fd); e != 0 {
				t.Fatal(e)
			}
			if connects(t, own) != nil {
				t.Error("a new client is connected")
			}
			var peer Addr
			got, e := Accept(fd, &peer)
			if e != 0 || peer.AddrPort().String() != waiting.LocalAddr().String() {
				t.Fatalf("accepted %s, %v; want the client that waits, %s", peer.String(), e, waiting.LocalAddr())
			}
			defer Close(got)
			if _, e := Accept(fd, &peer); e != unix.EAGAIN {
				t.Errorf("another client waits: %v", e)
			}
		})
	}
}

// A connection that is accepted with a filter loses it by Unfilter, and the listening socket keeps
// it.
func TestUnfilter(t *testing.T) {
	fd, own := listenAt(t, host("127.0.0.1", 0))
	pass := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16} // as DropNew, but for any segment
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &pass}); err != nil {
		t.Fatal(err)
	}
	if connects(t, own) == nil {
		t.Fatal("not connected")
	}
	var peer Addr
	got, e := Accept(fd, &peer)
	if e != 0 {
		t.Fatal(e)
	}
	defer Close(got)
	if !isFiltered(got) {
		t.Fatal("the connection has not inherited the filter, so Unfilter is needless")
	}
	Unfilter(got)
	if isFiltered(got) || !isFiltered(fd) {
		t.Errorf("the connection has a filter: %v; the listening socket: %v", isFiltered(got), isFiltered(fd))
	}
}

// After PassNew, the clients in the queue stay there. Another socket gets the new ones, or they are
// refused.
func TestPassNew(t *testing.T) {
	fd, own := listenAt(t, host("127.0.0.1", 0))
	waiting := connects(t, own)
	if waiting == nil {
		t.Fatal("not connected")
	}
	if e := PassNew(fd); e != 0 {
		t.Fatal(e)
	}
	if connects(t, own) != nil {
		t.Error("a new client is connected although no other socket listens")
	}
	wide, _ := listenAt(t, host("0.0.0.0", own.Port()))
	other := connects(t, own)
	if other == nil {
		t.Fatal("the socket on the wildcard gets no client")
	}
	for fd, want := range map[int]net.Conn{fd: waiting, wide: other} {
		var peer Addr
		got, e := Accept(fd, &peer)
		if e != 0 || peer.AddrPort().String() != want.LocalAddr().String() {
			t.Errorf("accepted %s, %v; want %s", peer.String(), e, want.LocalAddr())
		}
		Close(got)
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
