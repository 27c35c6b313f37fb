package peer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Splicing are the options that make HAProxy splice in both directions.
var Splicing = []string{"option splice-request", "option splice-response"}

// LargePipe is the largest pipe in bytes that a user without privileges gets by default
// (fs.pipe-max-size).
const LargePipe = 1 << 20

// missing returns an error that names the packages to install. Debian installs daemons in sbin
// directories, which are not in the PATH of an ordinary user.
func missing(program string, err error, packages string) error {
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin"} {
		if _, elsewhere := exec.LookPath(filepath.Join(dir, program)); elsewhere == nil && !strings.Contains(program, "/") {
			return fmt.Errorf("no %s in PATH, yet in %s (PATH=$PATH:%s)", program, dir, dir)
		}
	}
	return fmt.Errorf("no %s: %w (apt-get install --no-install-recommends %s)", program, err, packages)
}

// FindHAProxy returns four configurations of the HAProxy at a path or in PATH. They are the
// plain one, one that always splices, one that also has pipes as large as Sluice's, and one
// with the names in a map.
func FindHAProxy(label, path string) ([]*HAProxy, error) {
	bin, err := exec.LookPath(path)
	if err != nil {
		return nil, missing(path, err, "haproxy")
	}
	version, err := said(bin, regexp.MustCompile(`HAProxy version \S+`), "-v")
	if err != nil {
		return nil, err
	}
	plain := HAProxy{Label: label, Bin: bin, Version: version, Args: []string{"-db", "-f"}}
	spliced, piped, mapped := plain, plain, plain
	spliced.Label, spliced.Options = label+"-splice", Splicing
	piped.Label, piped.Options, piped.Pipe = label+"-pipe", Splicing, LargePipe
	mapped.Label, mapped.Map = label+"-map", true
	return []*HAProxy{&plain, &spliced, &piped, &mapped}, nil
}

// FindNginx returns the nginx in PATH. It returns an error if nginx has no stream module.
func FindNginx() (*Nginx, error) {
	const packages = "nginx libnginx-mod-stream"
	bin, err := exec.LookPath("nginx")
	if err != nil {
		return nil, missing("nginx", err, packages)
	}
	version, err := said(bin, regexp.MustCompile(`nginx/\S+`), "-v")
	if err != nil {
		return nil, err
	}
	built, err := exec.Command(bin, "-V").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s -V: %w", bin, err)
	}
	module, ok := streamModule(string(built))
	if !ok {
		return nil, fmt.Errorf("%s has no stream module (apt-get install --no-install-recommends %s)", bin, packages)
	}
	return &Nginx{Bin: bin, Version: version, Module: module}, nil
}

var modulesPath = regexp.MustCompile(`--modules-path=(\S+)`)

// streamModule returns the path of the stream module, or "" if the module is built in. built is
// the output of nginx -V.
func streamModule(built string) (path string, ok bool) {
	for option := range strings.FieldsSeq(built) {
		switch option {
		case "--with-stream":
			return "", true
		case "--with-stream=dynamic":
			m := modulesPath.FindStringSubmatch(built)
			if m == nil {
				return "", false
			}
			path = filepath.Join(m[1], "ngx_stream_module.so")
			_, err := os.Stat(path)
			return path, err == nil
		}
	}
	return "", false
}

// said runs a program and returns the part of its output that matches what.
func said(bin string, what *regexp.Regexp, args ...string) (string, error) {
	out, err := exec.Command(bin, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", bin, strings.Join(args, " "), err)
	}
	if found := what.FindString(string(out)); found != "" {
		return found, nil
	}
	return "", fmt.Errorf("%s %s said %.80q, wanted %s", bin, strings.Join(args, " "), out, what)
}

// ParseSluice reads `NAME=PATH [VARIABLE=VALUE ...] [; line of global]...`. It describes
// another build of Sluice, or other options for it.
func ParseSluice(text string) (*HAProxy, error) {
	name, rest, found := strings.Cut(text, "=")
	parts := strings.Split(rest, ";")
	words := strings.Fields(parts[0])
	if !found || name == "" || len(words) == 0 {
		return nil, fmt.Errorf("'%s', wanted NAME=PATH [VARIABLE=VALUE ...] [; line of global]", text)
	}
	bin, err := exec.LookPath(words[0])
	if err != nil {
		return nil, fmt.Errorf("'%s': %w", text, err)
	}
	s, err := Sluice(name, bin)
	if err != nil {
		return nil, err
	}
	s.Env = words[1:]
	for _, v := range s.Env {
		if !strings.Contains(v, "=") {
			return nil, fmt.Errorf("'%s' in '%s', wanted VARIABLE=VALUE", v, text)
		}
	}
	for _, line := range parts[1:] {
		s.Global = append(s.Global, strings.TrimSpace(line))
	}
	return s, nil
}

// SluiceName is the name of the Sluice that is measured.
const SluiceName = "sluice"

// Sluice returns the Sluice binary at bin as one of the balancers that are compared. The type is
// HAProxy because both read the same configuration file.
func Sluice(label, bin string) (*HAProxy, error) {
	version, err := said(bin, regexp.MustCompile(`sluice .+`), "version")
	if err != nil {
		return nil, err
	}
	return &HAProxy{Label: label, Bin: bin, Version: version, Args: []string{"run", "-f"}, Sluice: true}, nil
}
