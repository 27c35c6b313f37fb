package engine

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"sluice/engine/exchange"
	"sluice/engine/session"
	"sluice/engine/sock"
)

// reserved are the types of the entries of all arrays outside the Go heap, as another package writes
// them.
var reserved = map[string]reflect.Type{
	"session.Session":   reflect.TypeFor[session.Session](),
	"exchange.Exchange": reflect.TypeFor[exchange.Exchange](),
	"[2]sock.Addr":      reflect.TypeFor[[2]sock.Addr](),
}

// TestReservedTypesHoldNoPointer: the garbage collector does not see the arrays, so it would free what
// only they point to.
func TestReservedTypesHoldNoPointer(t *testing.T) {
	for name, of := range reserved {
		for _, path := range pointers(name, of) {
			t.Errorf("%s", path)
		}
	}
}

// TestAllReservedTypesAreChecked finds the types that the source gives to Reserve and NewReserve.
func TestAllReservedTypesAreChecked(t *testing.T) {
	found := map[string]bool{}
	for _, pattern := range []string{"*.go", "*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				findReserved(t, file, found)
			}
		}
	}
	delete(found, "session.T") // the declarations themselves
	for name := range found {
		if reserved[name] == nil {
			t.Errorf("%s is reserved and not checked for pointers", name)
		}
	}
	for name := range reserved {
		if !found[name] {
			t.Errorf("%s is checked and nowhere reserved", name)
		}
	}
}

// findReserved adds the types that a file gives to Reserve and NewReserve.
func findReserved(t *testing.T, file string, found map[string]bool) {
	t.Helper()
	tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if index, ok := n.(*ast.IndexExpr); ok && isReserve(index.X) {
			found[typeText(tree.Name.Name, index.Index)] = true
		}
		return true
	})
}

func isReserve(x ast.Expr) bool {
	if of, ok := x.(*ast.SelectorExpr); ok {
		x = of.Sel
	}
	name, ok := x.(*ast.Ident)
	return ok && (name.Name == "Reserve" || name.Name == "NewReserve")
}

// typeText returns a type of a package as another package writes it.
func typeText(in string, x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return in + "." + x.Name
	case *ast.SelectorExpr:
		if from, ok := x.X.(*ast.Ident); ok {
			return from.Name + "." + x.Sel.Name
		}
	case *ast.ArrayType:
		if n, ok := x.Len.(*ast.BasicLit); ok {
			return "[" + n.Value + "]" + typeText(in, x.Elt)
		}
	}
	return fmt.Sprintf("%T", x)
}

// pointers returns the paths to all parts of a type that the garbage collector would have to follow.
func pointers(path string, of reflect.Type) (found []string) {
	switch of.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return nil
	case reflect.Array:
		return pointers(path+"[]", of.Elem())
	case reflect.Struct:
		for f := range of.Fields() {
			found = append(found, pointers(path+"."+f.Name, f.Type)...)
		}
		return found
	}
	return []string{fmt.Sprintf("%s is a %s", path, of.Kind())}
}

func TestPointersAreFound(t *testing.T) {
	type plain struct {
		A [2]struct{ B, C int32 }
		D uintptr
	}
	type deep struct {
		plain
		All [3][2]struct {
			Fine uint8
			Text string
		}
		Next *deep
	}
	for _, test := range []struct {
		of   reflect.Type
		want []string
	}{
		{reflect.TypeFor[plain](), nil},
		{reflect.TypeFor[deep](), []string{"x.All[][].Text is a string", "x.Next is a ptr"}},
		{reflect.TypeFor[[]byte](), []string{"x is a slice"}},
		{reflect.TypeFor[map[int]int](), []string{"x is a map"}},
		{reflect.TypeFor[chan int](), []string{"x is a chan"}},
		{reflect.TypeFor[func()](), []string{"x is a func"}},
		{reflect.TypeFor[any](), []string{"x is a interface"}},
		{reflect.TypeFor[unsafe.Pointer](), []string{"x is a unsafe.Pointer"}},
	} {
		if got := pointers("x", test.of); !slices.Equal(got, test.want) {
			t.Errorf("%v: %q, want %q", test.of, got, test.want)
		}
	}
}
