package access

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"sluice/conf"
)

// Supply is what a process without rights needs to open log targets: a process with more rights has
// opened the files and sockets, and has resolved the host names.
type Supply struct {
	Files  map[string]*os.File // open log files and UNIX sockets, by the name of their destination
	LookUp func(host string) (netip.Addr, error)
}

// Use makes Route take log files, UNIX sockets and addresses from s, and open no file. Without s,
// Route opens them itself, which is the default. A file that Route takes leaves s.
func (l *Log) Use(s *Supply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.supply = s
}

// Close closes the files that no log has taken, and forgets the addresses.
func (s *Supply) Close() {
	for _, f := range s.Files {
		f.Close()
	}
	s.Files = nil
	s.LookUp = func(host string) (netip.Addr, error) {
		return netip.Addr{}, fmt.Errorf("host name %q was not resolved by the process that has the rights", host)
	}
}

// take returns the file of a destination and forgets it, so that the caller must close the file. It
// returns nil if there is none.
func (s *Supply) take(name string) *os.File {
	f := s.Files[name]
	delete(s.Files, name)
	return f
}

// OpenSupply opens the log files and UNIX sockets of these targets, each destination once. As in
// Route, a UNIX socket without a reader is no error; the result does not have it. The error names
// every log file that cannot be opened, with the place of its first target, and no file is open then.
func OpenSupply(targets []conf.LogTarget) (map[string]*os.File, error) {
	s := Supply{Files: map[string]*os.File{}}
	var errs []error
	tried := map[string]bool{}
	for _, t := range targets {
		name := destination(t)
		if tried[name] {
			continue
		}
		tried[name] = true
		f, err := openSupplied(t)
		if err != nil {
			errs = append(errs, placed(t, outletError(t, err)))
		} else if f != nil {
			s.Files[name] = f
		}
	}
	err := errors.Join(errs...)
	if err != nil {
		s.Close()
	}
	return s.Files, err
}

// openSupplied returns nil for a target that needs no rights, or that has no reader.
func openSupplied(t conf.LogTarget) (*os.File, error) {
	switch t.Kind {
	case conf.LogFile:
		out, err := openFile(t.Path)
		if err != nil {
			return nil, err
		}
		return out.file, nil
	case conf.LogUnix:
		u := openUnix(unixName(t.Address))
		if u.conn == nil {
			return nil, nil
		}
		defer u.close()
		return u.conn.File()
	}
	return nil, nil
}

// outlet returns the outlet of a target, as openOutlet does. s may be nil.
func (s *Supply) outlet(t conf.LogTarget) (outlet, error) {
	if s == nil {
		return openOutlet(t)
	}
	switch t.Kind {
	case conf.LogFile:
		if f := s.take(destination(t)); f != nil {
			return &stream{f}, nil
		}
		return nil, errors.New("it was not opened by the process that has the rights")
	case conf.LogUnix:
		return s.unix(unixName(t.Address)), nil
	case conf.LogUDP:
		if !t.Address.IP.IsValid() {
			ip, err := s.LookUp(t.Address.Host)
			if err != nil {
				return nil, err
			}
			t.Address.IP = ip
		}
	}
	return openOutlet(t)
}

// unix returns the outlet of a UNIX socket. Without a supplied one, lines try to connect.
func (s *Supply) unix(name string) *unixgram {
	u := &unixgram{name: name}
	if f := s.take(name); f != nil {
		defer f.Close()
		if conn, err := net.FileConn(f); err == nil {
			u.conn, _ = conn.(*net.UnixConn)
		}
	}
	return u
}
