package reserve

import (
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

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

func TestNewRefusesPointers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an array of slices is made")
		}
	}()
	_, _ = New[struct{ text []byte }](1)
}

func TestOnlyTouchedPagesUseMemory(t *testing.T) {
	const entries = 1 << 30 // 64 GiB
	a, err := New[[64]byte](entries)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	last := a.At(entries - 1)
	last[63] = 7
	if a.At(0)[0] != 0 || last[63] != 7 || a.Len() != entries {
		t.Errorf("%d entries, the first %d, the last %d", a.Len(), a.At(0)[0], last[63])
	}
}

func TestClosedArrayHasNoEntries(t *testing.T) {
	a, err := New[int64](10)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	a.Close()
	if a.Len() != 0 {
		t.Errorf("%d entries", a.Len())
	}
}
