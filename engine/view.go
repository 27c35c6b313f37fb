package engine

import (
	"io/fs"
	"net/netip"

	"sluice/conf"
	"sluice/conf/diff"
	"sluice/engine/acl"
	"sluice/engine/site"
)

// witness notes the pattern files and host names that the compilation of a configuration uses, so
// that the report of a reload can compare them. It reads each file once.
type witness struct {
	fs.FS
	lookUp LookUp
	files  map[string][]byte
	names  map[string]netip.Addr
}

// observe makes out use a new witness.
func observe(out *site.Outside) *witness {
	w := &witness{out.Files, LookUp(out.LookUp).Once(), map[string][]byte{}, map[string]netip.Addr{}}
	out.Files, out.LookUp = w, w.resolve
	return w
}

// ReadFile reads a whole file.
func (w *witness) ReadFile(path string) ([]byte, error) {
	if data, known := w.files[path]; known {
		return data, nil
	}
	data, err := fs.ReadFile(w.FS, path)
	if err == nil {
		w.files[path] = data
	}
	return data, err
}

func (w *witness) resolve(host string) (netip.Addr, error) {
	ip, err := w.lookUp(host)
	if err == nil {
		w.names[host] = ip
	}
	return ip, err
}

// view returns the configuration with what it has used. It resolves the host names of bind lines,
// which a worker process does not check. If that fails, opening the sockets reports the error.
func (w *witness) view(c *conf.Config) diff.View {
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			if a := b.Address; a.Net == conf.NetTCP && a.Host != "" && !a.IP.IsValid() {
				_, _ = w.resolve(a.Host)
			}
		}
	}
	v := diff.View{Conf: c, Names: w.names, Files: map[string]diff.Patterns{}}
	for path, data := range w.files {
		var patterns []string
		for _, text := range acl.Patterns(string(data)) {
			patterns = append(patterns, text)
		}
		v.Files[path] = diff.PatternsOf(patterns)
	}
	return v
}
