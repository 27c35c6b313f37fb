//go:build !simulation

package engine

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// helloOf returns the ClientHello of crypto/tls for a name, with at least size bytes.
func helloOf(t *testing.T, name string, size int) []byte {
	t.Helper()
	c := &tls.Config{ServerName: name}
	for filled := 0; filled < size; filled += 201 {
		c.NextProtos = append(c.NextProtos, strings.Repeat("p", 200))
	}
	return helloWith(t, c)
}

// helloWith returns the ClientHello of crypto/tls for a configuration.
func helloWith(t *testing.T, c *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		_ = tls.Client(near, c).Handshake()
		near.Close()
	}()
	return records(readHello(t, far), 16<<10)
}

// readHello reads TLS records and returns the handshake message in them.
func readHello(t *testing.T, c net.Conn) (hello []byte) {
	t.Helper()
	whole := func() bool {
		return len(hello) >= 4 && len(hello) >= 4+int(hello[1])<<16+int(hello[2])<<8+int(hello[3])
	}
	for !whole() {
		var head [5]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, binary.BigEndian.Uint16(head[3:]))
		if _, err := io.ReadFull(c, body); err != nil {
			t.Fatal(err)
		}
		hello = append(hello, body...)
	}
	return hello
}

// records splits a hello into TLS records of size bytes. The hello may be in records already.
func records(hello []byte, size int) (cut []byte) {
	if hello[0] == 0x16 {
		hello = unwrap(hello)
	}
	for len(hello) > 0 {
		n := min(size, len(hello))
		cut = append(cut, 0x16, 3, 1, byte(n>>8), byte(n))
		cut = append(cut, hello[:n]...)
		hello = hello[n:]
	}
	return cut
}

func unwrap(wire []byte) (hello []byte) {
	for len(wire) > 0 {
		n := int(binary.BigEndian.Uint16(wire[3:]))
		hello = append(hello, wire[5:5+n]...)
		wire = wire[5+n:]
	}
	return hello
}

type corpusHello struct {
	name, sni string
	hello     []byte
}

// corpusOfHellos reads the complete hellos of the reference corpus.
func corpusOfHellos(t *testing.T) (all []corpusHello) {
	t.Helper()
	root := os.Getenv("SLUICE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpus")
	}
	dir := filepath.Join(root, "clienthello")
	index, err := os.Open(filepath.Join(dir, "index.tsv"))
	if os.IsNotExist(err) {
		t.Skipf("the reference corpus is not here (SLUICE_CORPUS names its folder): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	lines := bufio.NewScanner(index)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		if len(row) < 3 || row[1] != "tls" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, corpusHello{row[0], row[2], data})
	}
	return all
}
