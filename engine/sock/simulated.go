//go:build simulation

package sock

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// process is the process of the model on which all system calls of this package are made.
var process *kernel.Process

// Simulate directs all following system calls of this package to p, a process on a model of the
// kernel. The build tag simulation is needed.
func Simulate(p *kernel.Process) { process = p }

func rawRead(fd int, b []byte) (int, Errno) { return process.Read(fd, b) }

func rawReceive(fd int, b []byte, flags int) (int, Errno) { return process.Recv(fd, b, flags) }

func rawSend(fd int, b []byte, flags int, to *Addr) (int, Errno) {
	if to == nil {
		return process.Send(fd, b, flags, kernel.Address{})
	}
	return process.Send(fd, b, flags, to.modelled())
}

func rawSplice(from, to, n int) (int, Errno) { return process.Splice(from, to, n) }

func rawSocket(family int) (int, Errno) { return process.Socket(family) }

func rawBind(fd int, own *Addr) Errno { return process.Bind(fd, own.modelled()) }

func rawListen(fd, backlog int) Errno { return process.Listen(fd, backlog) }

func rawAccept(fd int, peer *Addr) (int, Errno) {
	client, from, e := process.Accept(fd)
	peer.setModelled(from)
	return client, e
}

func rawConnect(fd int, to *Addr) Errno { return process.Connect(fd, to.modelled()) }

func rawLocal(fd int, own *Addr) Errno {
	at, e := process.Local(fd)
	own.setModelled(at)
	return e
}

func rawShutdown(fd, how int) Errno { return process.Shutdown(fd, how) }

func rawClose(fd int) { process.Close(fd) }

func rawDuplicate(fd int) (int, Errno) { return process.Dup(fd) }

// The descriptors of the model never block, and its processes execute no other program. So these
// calls have nothing to do.
func rawUnblock(int) error { return nil }
func rawCloseOnExec(int)   {}

func rawUnsent(fd int) (int, Errno) { return process.Unsent(fd) }

func rawOption(fd, level, name, value int) Errno { return process.SetOption(fd, level, name, value) }

func rawDropNew(fd int) Errno {
	return process.SetOption(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, 1)
}

func rawInode(fd int) (uint64, bool) { return process.Inode(fd) }

func rawListeningOn(port uint16) (all []Listening, _ error) {
	for _, s := range process.Kernel().Listening(port) {
		all = append(all, Listening{Addr: s.At, V6Only: s.V6Only, Inode: s.Inode})
	}
	return all, nil
}

// The model has no inherited UNIX sockets.
func rawUnixQueue(int) (int, bool) { return 0, false }

// Nobody else removes a file of the model.
func rawIsAt(string, File) bool { return true }

func rawUnlink(path string, _ File) error {
	process.Kernel().Unlink(path)
	return nil
}

func rawAbrupt(fd int) { _ = process.SetOption(fd, unix.SOL_SOCKET, unix.SO_LINGER, 0) }

func rawInfo(fd int) (received uint64, queued int, ok bool) {
	info, e := process.Info(fd)
	return info.Received, int(info.Queued), e == 0
}

func rawPipe() (r, w int, e Errno) { return process.Pipe() }

func rawPipeSize(fd int) (int, Errno) { return process.PipeSize(fd, 0) }

func rawResizePipe(fd, size int) (int, Errno) { return process.PipeSize(fd, size) }

// Epoll returns the descriptor of a new epoll instance. In builds without the tag simulation, gnet
// opens the instance.
func Epoll() (int, Errno) { return process.Epoll() }

func rawControl(epoll, op, fd int, ev *unix.EpollEvent) Errno {
	return process.Control(epoll, op, fd, ev)
}

func rawWait(epoll int, events []unix.EpollEvent, _ int) (int, Errno) {
	return process.Wait(epoll, events)
}

// rawSleep returns at once, because a simulation has only one goroutine.
func rawSleep(epoll int, events []unix.EpollEvent) (int, Errno) { return process.Wait(epoll, events) }

func rawBell() (int, Errno) { return process.Eventfd() }

func rawRing(bell int) { _, _ = process.Write(bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func rawTimer() (int, Errno) { return process.Timerfd() }

func rawSetTimer(fd int, in time.Duration) { _ = process.SetTimer(fd, in) }

// modelled converts an address to the address type of the model.
func (a *Addr) modelled() kernel.Address {
	if !a.IsUnix() {
		return kernel.Address{IP: a.AddrPort()}
	}
	name := a.String()
	if path, ok := strings.CutPrefix(name, "unix@"); ok {
		return kernel.Address{Path: path}
	}
	return kernel.Address{Path: strings.TrimPrefix(name, "abns")}
}

// setModelled converts an address of the model to a. The zero address is the address of a UNIX
// client without a bound name.
func (a *Addr) setModelled(from kernel.Address) {
	*a = Addr{}
	switch {
	case from.IP.IsValid():
		*a, _ = IP(from.IP)
	case from.Path == "":
		a.raw.Addr.Family = unix.AF_UNIX
	case from.Path[0] == '@':
		*a, _ = Abstract(from.Path[1:])
	default:
		*a, _ = Unix(from.Path)
	}
}
