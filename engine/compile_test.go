package engine

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// compiled returns the site of a configuration without errors.
func compiled(c *conf.Config) (*site.Site, error) {
	made, problems := site.Compile(c, site.Outside{LookUp: sock.LookUp, Files: conf.Disk{}})
	return made, problems.Err()
}

// compilers are the functions that compile, or that make the servers of a backend, and the only
// place that may call each of them. So each command compiles a configuration once, and the process
// runs what was checked.
var compilers = map[string]string{
	"acl.Compile":        "engine/site/frontend.go",
	"acl.CompileBackend": "engine/site/backend.go",
	"pool.New":           "engine/site/backend.go",
	"site.Compile":       "engine/compile.go",
	"engine.Compile":     "cmd/sluice/load.go",
}

// TestOneCompilePerConfiguration: each function of compilers is called at one place only.
func TestOneCompilePerConfiguration(t *testing.T) {
	met := map[string][]string{}
	root := ".."
	for _, dir := range []string{"cmd", "conf", "engine", "pool", "sniff"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				for _, name := range callsOf(t, path) {
					met[name] = append(met[name], strings.TrimPrefix(path, "../"))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(compilers)) {
		if !slices.Equal(met[name], []string{compilers[name]}) {
			t.Errorf("%s is called in %q, wanted once in %s", name, met[name], compilers[name])
		}
	}
}

// callsOf returns the functions of other packages that a file calls, as package.Function.
func callsOf(t *testing.T, file string) (names []string) {
	t.Helper()
	tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok {
				if from, ok := f.X.(*ast.Ident); ok {
					names = append(names, from.Name+"."+f.Sel.Name)
				}
			}
		}
		return true
	})
	return names
}
