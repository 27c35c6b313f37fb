package engine

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"strings"
	"testing"
)

// outsideSeam are the functions that the data path calls beside package sock, by file, each with
// the reason why a simulation need not replace it.
var outsideSeam = map[string]string{
	"reserve/array.go unix.Mmap":           "memory is real in a simulation",
	"reserve/array.go unix.Madvise":        "memory is real in a simulation",
	"reserve/array.go unix.Munmap":         "memory is real in a simulation",
	"reserve/costless.go unix.Getrlimit":   "memory is real in a simulation",
	"hardstop.go time.NewTimer":            "no world of a simulation sets hard-stop-after",
	"reactor/wait.go time.Now":             "next sleeps, a simulation calls Step",
	"reactor/wait.go time.Since":           "next sleeps, a simulation calls Step",
	"../pool/stat/clock_linux.go time.Now": "the clock of other builds",
}

// TestSystemCallsGoThroughSock: the data path makes no system call and reads no clock except
// through packages sock and stat. Otherwise a simulation would not control it.
func TestSystemCallsGoThroughSock(t *testing.T) {
	met := map[string]bool{}
	for _, dir := range []string{".", "session", "exchange", "listen", "plan", "reactor", "relay", "httpflow", "acl", "reserve", "wheel", "../pool/stat", "../sniff"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, call := range systemCalls(t, file) {
				met[call] = true
				if outsideSeam[call] == "" {
					t.Errorf("%s: wanted a function of package sock, or of stat for the time", call)
				}
			}
		}
	}
	for call := range outsideSeam {
		if !met[call] {
			t.Errorf("%s is listed as outside and is called nowhere", call)
		}
	}
}

// systemCalls returns the calls of a file that reach the operating system.
func systemCalls(t *testing.T, file string) (all []string) {
	t.Helper()
	tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); ok {
			if from, ok := f.X.(*ast.Ident); ok && reachesSystem(from.Name, f.Sel.Name) {
				all = append(all, fmt.Sprintf("%s %s.%s", file, from.Name, f.Sel.Name))
			}
		}
		return true
	})
	return all
}

// reachesSystem reports whether a function of a package makes a system call or reads the clock.
func reachesSystem(from, name string) bool {
	switch from {
	case "unix", "syscall":
		return name != "Errno" && name != "ErrnoName"
	case "time":
		return name == "Now" || name == "Since" || name == "Until" || name == "After" || name == "AfterFunc" || name == "NewTimer" || name == "Sleep"
	case "rand":
		return true
	}
	return false
}
