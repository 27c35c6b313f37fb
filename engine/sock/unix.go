package sock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// bindUnix is Bind for a UNIX socket. The file of an earlier process is removed last, when little
// else can fail. It does not come back after an error: clients are refused with it and without it.
func bindUnix(b *conf.Bind, n int) ([]int, error) {
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return nil, err
	}
	fd, e := Stream(&addr)
	if e != 0 {
		return nil, os.NewSyscallError("socket", e)
	}
	defer Close(fd)
	fds, err := copies(fd, n)
	if err != nil {
		return nil, err
	}
	if err := bindNamed(fd, b, &addr); err != nil {
		CloseAll(fds)
		return nil, err
	}
	return fds, nil
}

// bindNamed binds a UNIX socket to its path or abstract name. Its file gets the owner and the permissions that the bind line demands.
func bindNamed(fd int, b *conf.Bind, addr *Addr) error {
	path := b.Address.Path
	if b.Address.Net == conf.NetAbstract {
		return bind(fd, addr)
	}
	uid, gid, err := owner(b)
	if err != nil {
		return err
	}
	if err := ClearStale(path); err != nil {
		return err
	}
	if err := bind(fd, addr); err != nil {
		return err
	}
	err = grantFile(path, b.Mode, uid, gid)
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// ClearStale removes the socket file that an earlier process left at path. It returns ErrBusy
// if a process still listens there, and an error if the file is not a socket.
func ClearStale(path string) error {
	stale, err := replaceable(path)
	if err != nil || !stale {
		return err
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		_ = conn.Close()
	}
	if err == nil || errors.Is(err, unix.EAGAIN) { // EAGAIN: the queue is full
		return ErrBusy
	}
	return os.Remove(path)
}

// replaceable reports whether there is a socket file at path. A file of another kind is an
// error.
func replaceable(path string) (stale bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&os.ModeSocket == 0:
		return false, fmt.Errorf("%s exists and is not a socket", path)
	}
	return true, nil
}

// grantFile sets the permissions and the owner of a socket file. mode 0, uid -1 and gid -1 leave
// them unchanged. It works on a descriptor of the file: somebody with rights in the directory could
// put a symbolic link to another file at path, between any two calls that use the path.
func grantFile(path string, mode uint32, uid, gid int) error {
	if mode == 0 && uid < 0 && gid < 0 {
		return nil
	}
	fd, err := openSocketFile(path)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer Close(fd)
	if mode != 0 {
		// chmod(2) of a descriptor that was opened with O_PATH is possible by this name only.
		if err := unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode); err != nil {
			return &os.PathError{Op: "chmod", Path: path, Err: err}
		}
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	if err := unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "chown", Path: path, Err: err}
	}
	return nil
}

var errNoSocketFile = errors.New("it is no longer the file of a socket")

// openSocketFile returns a descriptor that only names the file at path, which must be a socket.
func openSocketFile(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		Close(fd)
		return -1, err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFSOCK {
		Close(fd)
		return -1, errNoSocketFile
	}
	return fd, nil
}

// owner returns the user and the group for the socket file of a UNIX bind line. -1 leaves the
// user or the group unchanged.
func owner(b *conf.Bind) (uid, gid int, err error) {
	uid, gid = b.UID, b.GID
	if b.User != "" {
		u, err := user.Lookup(b.User)
		if err != nil {
			return -1, -1, fmt.Errorf("user '%s' is not known on this machine", b.User)
		}
		uid, _ = strconv.Atoi(u.Uid)
	}
	if b.Group != "" {
		g, err := user.LookupGroup(b.Group)
		if err != nil {
			return -1, -1, fmt.Errorf("group '%s' is not known on this machine", b.Group)
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid, nil
}

// File identifies the file of a UNIX socket. The zero value identifies none.
type File struct{ info os.FileInfo }

// FileAt returns the file at path, or the zero value if there is none.
func FileAt(path string) File {
	info, _ := os.Lstat(path)
	return File{info}
}

// IsAt reports whether the file at path is still the file f.
func (f File) IsAt(path string) bool { return rawIsAt(path, f) }

// Unlink removes the file at path if it is still the file f. Another process may have replaced the
// file by its own socket.
func (f File) Unlink(path string) error { return rawUnlink(path, f) }
