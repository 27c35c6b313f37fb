package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"time"

	"sluice/conf"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// bundle is a configuration with everything that its compilation takes from the machine. A master
// process makes it, and its worker needs no right to use it. The descriptors of sockets and log
// files travel beside it.
type bundle struct {
	Serial  int       // the last request of the worker that this answers
	Compare bool      // only compare with the running configuration; no descriptors are sent
	Began   time.Time // when the master began to read the files

	Error    string        // why the configuration cannot be used; empty: it can
	Problems conf.Problems // of the check by the master

	Sources []conf.Source
	Files   map[string][]byte     // error files and pattern files, by the paths as they are written
	Names   map[string]netip.Addr // the addresses of host names

	Kept    []int    // see listen.Sent
	Sockets int      // number of descriptors of new listening sockets, which come first
	Logs    []string // names of log targets whose descriptors come after them
}

// compile compiles the configuration. The problems of the files are in b.Problems; those returned
// are errors only if the bundle is not complete.
func (b *bundle) compile(change func(*conf.Config)) (*site.Site, conf.Problems) {
	return read(site.Outside{LookUp: b.lookUp, Files: memory(b.Files), Checked: true}, change, b.Sources...)
}

func (b *bundle) lookUp(host string) (netip.Addr, error) {
	if ip, known := b.Names[host]; known {
		return ip, nil
	}
	return netip.Addr{}, fmt.Errorf("host name %q was not resolved by the master process", host)
}

// collector takes files and addresses from this machine, and keeps a copy for a bundle. A
// configuration that is read through it reads each file once.
type collector struct {
	conf.Disk
	files map[string][]byte
	names map[string]netip.Addr
}

func newCollector() *collector {
	return &collector{files: map[string][]byte{}, names: map[string]netip.Addr{}}
}

// ReadFile reads a whole file.
func (c *collector) ReadFile(path string) ([]byte, error) {
	if data, known := c.files[path]; known {
		return data, nil
	}
	data, err := c.Disk.ReadFile(path)
	if err == nil {
		c.files[path] = data
	}
	return data, err
}

func (c *collector) lookUp(host string) (netip.Addr, error) {
	if ip, known := c.names[host]; known {
		return ip, nil
	}
	ip, err := sock.LookUp(host)
	if err == nil {
		c.names[host] = ip
	}
	return ip, err
}

func (c *collector) outside() site.Outside { return site.Outside{LookUp: c.lookUp, Files: c} }

// fill puts the copies into a bundle.
func (c *collector) fill(b *bundle, sources []conf.Source) {
	b.Sources, b.Files, b.Names = sources, c.files, c.names
}

// memory is a file system of files in memory. As in conf.Disk, the names are paths of the operating
// system.
type memory map[string][]byte

// Open opens a file.
func (m memory) Open(name string) (fs.File, error) {
	data, known := m[name]
	if !known {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("was not read by the master process")}
	}
	return &memoryFile{Reader: *bytes.NewReader(data), name: name, size: int64(len(data))}, nil
}

// memoryFile is an open file of memory, and describes itself.
type memoryFile struct {
	bytes.Reader
	name string
	size int64
}

var _ io.Reader = (*memoryFile)(nil)

// Close does nothing.
func (f *memoryFile) Close() error { return nil }

// Stat describes the file.
func (f *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{f}, nil }

type memoryInfo struct{ f *memoryFile }

func (i memoryInfo) Name() string       { return path.Base(i.f.name) }
func (i memoryInfo) Size() int64        { return i.f.size }
func (i memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }
