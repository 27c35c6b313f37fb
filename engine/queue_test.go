package engine

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"strings"
	"testing"
)

// writers are the functions that write bytes or FIN to a session's socket, with the place that keeps
// their order.
var writers = map[string]string{
	"session/transfer.go SendFIN ShutdownWrite":  "only if the flow holds no bytes",
	"session/connect.go connectFast ConnectWith": "the first call on a socket; the flow holds the bytes",
	"relay/write.go Push Write":                  "push holds bytes behind those that the flow holds",
	"relay/write.go PushLast WriteLast":          "as Push",
	"relay/write.go Send Write":                  "only if the flow holds no bytes",
	"relay/write.go drain Write":                 "the bytes that the flow holds",
	"relay/write.go drain Splice":                "the bytes that the flow holds",
	"relay/flow.go peek Write":                   "only if the flow holds no bytes, see pump",
	"relay/splice.go fill Splice":                "into a pipe",
}

// TestBytesGoThroughOneQueue: bytes and FIN reach a socket in one order, because only these functions
// write.
func TestBytesGoThroughOneQueue(t *testing.T) {
	for _, dir := range []string{".", "relay", "session", "exchange"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				for _, call := range writes(t, file) {
					if writers[call] == "" {
						t.Errorf("%s: wanted a write to go through a method of relay.Stock, and a FIN through SendFIN", call)
					}
				}
			}
		}
	}
}

// writes returns the calls in a file that write to a descriptor, with the function that makes them.
func writes(t *testing.T, file string) (all []string) {
	t.Helper()
	tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if from, ok := sel.X.(*ast.Ident); ok && from.Name == "sock" && writesBytes(sel.Sel.Name) {
					all = append(all, file+" "+f.Name.Name+" "+sel.Sel.Name)
				}
			}
			return true
		})
	}
	return all
}

func writesBytes(name string) bool {
	switch name {
	case "Write", "WriteLast", "Splice", "ShutdownWrite", "ConnectWith":
		return true
	}
	return false
}
